import { preparePolicy } from '#gateway/adapters/policy/prepare.ts';
import { aToolchain, packFolder } from './rego.ts';

/**
 * Before the first test: compiles the shipped policies into the cache that every process looks into. Each of the hundreds of
 * gateways that tests start has a state folder of its own, and would compile them again for itself.
 */
export async function setup(): Promise<void> {
  const made = await preparePolicy({ directory: packFolder, toolchain: await aToolchain() });
  if ('errors' in made) throw new Error(JSON.stringify(made.errors));
}
