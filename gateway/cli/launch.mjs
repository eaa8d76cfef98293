#!/usr/bin/env node
// Plain JavaScript that any Node can read: the program itself needs a newer one, which came with it.
import { spawn } from 'node:child_process';
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(import.meta.url);
const [major, minor] = process.versions.node.split('.').map(Number);

if (major > 24 || (major === 24 && minor >= 15)) {
  // Beside the packages and not in a shared /tmp: what is in this cache is run. Where it cannot be written there is none.
  module.enableCompileCache(join(dirname(here), '../../node_modules/.cache/sekisho'));
  await import('./main.ts');
} else runWith(newerNode());

/** The Node of the `node` package, which is a dependency of this one. */
function newerNode() {
  try {
    if (process.env.SEKISHO_RELAUNCHED) throw new Error('the one that came with it is too old, too');
    return join(dirname(module.createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node');
  } catch (error) {
    process.stderr.write(
      `error: sekisho needs Node 24.15 or newer, and this is ${process.version} (${error.message.split('\n')[0]}).\n` +
        'Run npm ci where sekisho stands: that brings one along.\n',
    );
    return process.exit(70);
  }
}

function runWith(node) {
  const env = { ...process.env, SEKISHO_RELAUNCHED: '1' };
  const child = spawn(node, [here, ...process.argv.slice(2)], { stdio: 'inherit', env });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) {
    process.on(signal, () => {
      // A terminal tells both of us; passing it on would tell the child twice.
      if (process.stdin.isTTY && signal !== 'SIGTERM' && signal !== 'SIGUSR2') return;
      child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`error: ${node} cannot be run (${error.message}). Run npm ci where sekisho stands.\n`);
    process.exit(70);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
