import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder of its own, gone when the test is over: `await using folder = await scratchFolder({ 'a.yaml': '…' })`. */
export interface ScratchFolder extends AsyncDisposable {
  readonly path: string;
  at(name: string): string;
  write(name: string, text: string): Promise<string>;
}

export async function scratchFolder(files: Readonly<Record<string, string>> = {}): Promise<ScratchFolder> {
  const path = await mkdtemp(join(tmpdir(), 'sk-'));
  const at = (name: string): string => join(path, name);
  async function write(name: string, text: string): Promise<string> {
    await mkdir(dirname(at(name)), { recursive: true });
    await writeFile(at(name), text);
    return at(name);
  }
  for (const [name, text] of Object.entries(files)) await write(name, text);
  return { path, at, write, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
