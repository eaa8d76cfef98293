import { access } from 'node:fs/promises';
import { Command } from 'commander';
import { createJwksFile, createKeyFile, publicJwks } from '#gateway/adapters/keys/keys.ts';

const conflict = 6;

/** `sekisho keygen FILE`: a new Ed25519 key in FILE, its public half in FILE.pub. */
export function keygenCommand(): Command {
  return new Command('keygen')
    .description('make a key that signs manifests or run tokens')
    .argument('<file>', 'where the private key goes (mode 0600); FILE.pub gets the public half as a JWKS')
    .option('--json', 'print one JSON object')
    .action(async (file: string, options: { json?: boolean }, command: Command) => {
      const open = `${file}.pub`;
      for (const path of [file, open]) {
        if (await exists(path))
          command.error(`There is a file "${path}" already: keys are never written over.`, { exitCode: conflict });
      }
      const key = await createKeyFile(file);
      await createJwksFile(open, publicJwks(key));
      const made = { kid: key.kid, file, public: open };
      const text = options.json ? JSON.stringify(made) : `${made.kid}\n  private  ${file}\n  public   ${open}`;
      command.configureOutput().writeOut?.(`${text}\n`);
    });
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
