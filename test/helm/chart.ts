import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Rendered, readRendered } from './rendered.ts';

export const chartFolder = join(import.meta.dirname, '../../helm');
const scenarioFolder = join(chartFolder, 'ci');
const wrongFolder = join(import.meta.dirname, 'wrong');

const valuesFiles = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('-values.yaml'))
    .map((name) => join(folder, name));

export const scenarios = (): string[] => valuesFiles(scenarioFolder);

/** The values that docs/helm.md shows, as a file in `home`: what people copy has to work. */
export function documentedValues(home: string): string {
  const page = readFileSync(join(chartFolder, '../docs/helm.md'), 'utf8');
  const values = /```yaml\n([\s\S]+?)```/.exec(page)?.[1];
  if (!values) throw new Error('docs/helm.md shows no values');
  const file = join(home, 'documented-values.yaml');
  writeFileSync(file, values);
  return file;
}

export const wrongValues = (): string[] => valuesFiles(wrongFolder);
export const smallest = join(scenarioFolder, 'smallest-values.yaml');

export interface Said {
  readonly ok: boolean;
  readonly stdout: string;
  readonly all: string;
}

export type Helm = (...words: string[]) => Said;

/** Helm, with its folders in `home` so that the machine's own Helm is neither read nor changed. */
export function createHelm(program: string, home: string): Helm {
  const env = {
    PATH: process.env.PATH,
    HELM_CACHE_HOME: join(home, 'cache'),
    HELM_CONFIG_HOME: join(home, 'config'),
    HELM_DATA_HOME: join(home, 'data'),
    KUBECONFIG: join(home, 'no-cluster'),
  };
  return (...words) => {
    const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', env });
    return { ok: status === 0, stdout, all: `${stdout}${stderr}` };
  };
}

export function renderText(helm: Helm, values: readonly string[], ...more: string[]): string {
  const files = values.flatMap((file) => ['--values', file]);
  const said = helm('template', 'trial', chartFolder, '--namespace', 'tools', ...files, ...more);
  if (!said.ok) throw new Error(said.all);
  return said.stdout;
}

export const render = (helm: Helm, values: readonly string[], ...more: string[]): Rendered =>
  readRendered(renderText(helm, values, ...more));
