import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

/** What `opa build -t wasm` makes: the module and its data. */
export interface PolicyBundle {
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly data: string;
}

const block = 512;
const mostBytes = 64 * 1024 * 1024;

/** Reads a bundle's two members by their exact names; anything else in the archive is not looked at. */
export async function readBundle(path: string): Promise<PolicyBundle | { flaw: string }> {
  try {
    const archive = await promisify(gunzip)(await readFile(path), { maxOutputLength: mostBytes });
    const wasm = memberOf(archive, 'policy.wasm');
    if (wasm === null) return { flaw: 'the bundle holds no policy.wasm: build it with `opa build -t wasm`' };
    return { wasm: new Uint8Array(wasm), data: memberOf(archive, 'data.json')?.toString('utf8') ?? '{}' };
  } catch (cause) {
    return { flaw: `the bundle cannot be read: ${cause instanceof Error ? cause.message : String(cause)}` };
  }
}

function memberOf(archive: Buffer, wanted: string): Buffer | null {
  for (let at = 0; at + block <= archive.length; ) {
    const name = textField(archive, at, 100).replace(/^\.?\//, '');
    if (name === '') return null; // the two empty blocks at the end
    const size = Number.parseInt(textField(archive, at + 124, 12), 8);
    const start = at + block;
    if (!Number.isSafeInteger(size) || size < 0 || start + size > archive.length) throw new Error('it is cut short');
    const type = archive[at + 156];
    if (name === wanted && (type === 0x30 || type === 0)) return archive.subarray(start, start + size);
    at = start + Math.ceil(size / block) * block;
  }
  return null;
}

function textField(archive: Buffer, at: number, length: number): string {
  const field = archive.subarray(at, at + length);
  const end = field.indexOf(0);
  return field
    .subarray(0, end === -1 ? length : end)
    .toString('latin1')
    .trim();
}
