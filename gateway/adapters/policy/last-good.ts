import { mkdir, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { CompiledPolicy } from './compile.ts';
import { readDigested, writeDigested } from './digested-file.ts';

/**
 * The policy that served last, compiled, on disk: a gateway that starts while the folder is broken goes on with it instead
 * of not at all. It lies in the state directory, which only the gateway's own user may write, beside its keys.
 */
export interface LastGood {
  /** Null where there is none, what is there is not whole, or it is of another folder. */
  read(): Promise<CompiledPolicy | null>;
  /** One that cannot be written leaves none: an older policy may allow what was denied since. Throws then. */
  write(policy: CompiledPolicy): Promise<void>;
}

interface Kept extends Omit<CompiledPolicy, 'wasm'> {
  readonly directory: string;
  /** Base64. */
  readonly wasm: string;
}

/** @param directory Where the policies come from: what served from another folder was meant for another gateway. */
export function createLastGood(path: string, directory: string): LastGood {
  const from = resolve(directory);
  return {
    async read() {
      const text = await readDigested(path);
      if (text === null) return null;
      const { directory: its, wasm, ...rest } = JSON.parse(text) as Kept;
      return its === from ? { ...rest, wasm: new Uint8Array(Buffer.from(wasm, 'base64')) } : null;
    },
    async write(policy) {
      const kept: Kept = { ...policy, directory: from, wasm: Buffer.from(policy.wasm).toString('base64') };
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await writeDigested(path, JSON.stringify(kept), 0o600);
      } catch (cause) {
        await rm(path, { recursive: true, force: true });
        throw cause;
      }
    },
  };
}
