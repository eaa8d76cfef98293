import { createRequire } from 'node:module';
import { askCompiler } from '#gateway/adapters/policy/compiler.ts';
import { exitCodes } from './exit.ts';
import { type Asked, complain } from './policy-terminal.ts';

/** `sekisho policy version`: every decision depends on these, so a report of a wrong one should name them. */
export async function versions({ json, toolchain, terminal }: Asked): Promise<void> {
  const files = { 'a.rego': 'package sekisho\n\ndecision := {}\n' };
  const request = { mode: 'build', files, data: {}, entrypoints: ['sekisho/decision'] } as const;
  const { opaVersion, diagnostics } = await askCompiler(toolchain, request);
  if (diagnostics.length > 0) {
    complain(diagnostics, '', terminal);
    return terminal.exit(exitCodes.config);
  }
  const compiler = await toolchain.compiler();
  const by = compiler?.kind === 'opa' ? 'the opa on the PATH' : `the compiler built from ${toolchain.digest}`;
  const said = {
    opa: opaVersion,
    compiler: by,
    'opa-wasm': versionOf('@open-policy-agent/opa-wasm'),
    re2js: versionOf('re2js'),
  };
  if (json) terminal.out(JSON.stringify(said));
  else for (const [name, version] of Object.entries(said)) terminal.out(`${name.padEnd(8)}  ${version}`);
}

function versionOf(name: string): string {
  const { dependencies } = createRequire(import.meta.url)('../../package.json') as {
    dependencies: Record<string, string>;
  };
  return dependencies[name] ?? 'unknown';
}
