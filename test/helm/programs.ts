import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const source = join(import.meta.dirname, 'tool');

/** Helm itself, and `judge`, which knows Kubernetes' types: both pinned by test/helm/tool/go.mod. */
export interface Programs {
  readonly helm: string;
  readonly judge: string;
}

const needGo =
  'Go 1.26 or newer builds Helm for this test: install it (Debian: golang-go, or from go.dev) and try again.';

/** Builds what is missing or stale into build/; Go's own cache says what is. */
export function buildPrograms(print: (line: string) => void): Programs {
  const version = spawnSync('go', ['env', 'GOVERSION'], { cwd: source, encoding: 'utf8' });
  const found = /^go(\d+)\.(\d+)/.exec(version.stdout ?? '');
  if (!found) throw new Error(`${needGo}${version.stderr ? `\n${version.stderr}` : ''}`);
  if (Number(found[1]) === 1 && Number(found[2]) < 26) throw new Error(`${needGo} This is ${version.stdout.trim()}.`);
  return { helm: build('helm', 'helm.sh/helm/v4/cmd/helm', print), judge: build('judge', '.', print) };
}

function build(name: string, what: string, print: (line: string) => void): string {
  const program = join(root, 'build', name);
  if (!existsSync(program)) print(`building ${name} with Go into build/ (the first time takes some minutes) …`);
  const built = spawnSync('go', ['build', '-trimpath', '-ldflags=-s -w', '-o', program, what], {
    cwd: source,
    encoding: 'utf8',
    env: { ...process.env, CGO_ENABLED: '0' },
  });
  if (built.status !== 0) throw new Error(`${name} could not be built: ${built.stderr || built.error?.message}`);
  return program;
}
