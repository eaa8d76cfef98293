import { readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** What the Containerfile's last stage says, as far as running a container of it needs to know. */
export interface Image {
  readonly entrypoint: readonly string[];
  readonly workdir: string;
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  /** What is copied under the working directory; each has the same path in this repository. */
  readonly paths: readonly string[];
}

export function readContainerfile(file: string): Image {
  const lines = readFileSync(file, 'utf8')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim());
  const stage = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const all = (word: string) =>
    stage.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1).trim());
  const one = (word: string): string => {
    const found = all(word);
    if (found.length !== 1 || found[0] === undefined)
      throw new Error(`the last stage has ${found.length} ${word} lines`);
    return found[0];
  };
  return {
    entrypoint: JSON.parse(one('ENTRYPOINT')) as string[],
    workdir: one('WORKDIR'),
    user: one('USER'),
    env: Object.fromEntries(all('ENV').map((line) => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)])),
    paths: all('COPY').flatMap(copied),
  };
}

/** `COPY a b ./` and `COPY --from=x /app/a ./a`: the paths that appear under the working directory. */
function copied(line: string): string[] {
  const words = line.split(/\s+/).filter((word) => !word.startsWith('--'));
  const to = words.pop() ?? '';
  if (to.endsWith('/')) return words.map((from) => posix.join(to, posix.basename(from)));
  return [posix.normalize(to)];
}
