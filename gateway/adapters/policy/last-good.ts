import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { CompiledPolicy } from './compile.ts';

/**
 * The policy that served last, compiled, on disk: a gateway that starts while the folder is broken goes on with it instead
 * of not at all. It lies in the state directory, which only the gateway's own user may write, beside its keys.
 */
export interface LastGood {
  /** Null where there is none, or what is there is not whole. */
  read(): Promise<CompiledPolicy | null>;
  write(policy: CompiledPolicy): Promise<void>;
}

export function createLastGood(path: string): LastGood {
  return {
    async read() {
      const text = await readFile(path, 'utf8').catch(() => null);
      if (text === null) return null;
      const [digest, document] = [text.slice(0, 64), text.slice(65)];
      if (sha256(document) !== digest) return null;
      const { wasm, ...rest } = JSON.parse(document) as Omit<CompiledPolicy, 'wasm'> & { readonly wasm: string };
      return { ...rest, wasm: new Uint8Array(Buffer.from(wasm, 'base64')) };
    },
    async write(policy) {
      const document = JSON.stringify({ ...policy, wasm: Buffer.from(policy.wasm).toString('base64') });
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const draft = `${path}.${randomUUID()}`;
      try {
        const file = await open(draft, 'wx', 0o600);
        await file.writeFile(`${sha256(document)}\n${document}`);
        await file.sync(); // or a power cut could leave a renamed file that is empty
        await file.close();
        await rename(draft, path);
      } finally {
        await rm(draft, { force: true });
      }
    },
  };
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
