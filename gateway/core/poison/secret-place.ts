import { type Hit, hit } from './finding.ts';
import type { Subject } from './subject.ts';

/** Where secrets lie, as people and published attacks write it. Matched in lower case, `\` read as `/`. */
const places: readonly string[] = [
  '.ssh/',
  'id_rsa',
  'id_ed25519',
  'id_ecdsa',
  'known_hosts',
  'authorized_keys',
  '/etc/passwd',
  '/etc/shadow',
  '/etc/sudoers',
  '.aws/',
  '.kube/config',
  '.docker/config',
  '.netrc',
  '.npmrc',
  '.pypirc',
  '.git-credentials',
  '.gnupg',
  'keychain',
  'login data',
  'wallet.dat',
  'seed phrase',
  'recovery phrase',
  'solana/id.json',
  '/mcp.json',
  'claude_desktop_config',
  '.claude/',
  '.cursor/',
  '.codex/',
  '/proc/self/environ',
  'printenv',
  'process.env',
  'serviceaccount/token',
  'application_default_credentials',
  'session cookie',
  'cookies.sqlite',
  'gh/hosts.yml',
  'home_ssh',
  'ssh_id_',
];
/** A file in a hidden folder of somebody's home, and the file that holds a project's secrets. */
const hidden = /(?:~|\$home|%userprofile%|\/home\/[\w<>{}-]{1,40}|\/root|\/users\/[\w<>{}-]{1,40})\/\.\w/;
/** What a shell or a database client was told: not every name that ends in "history". */
const history = /\.\w{1,20}_history/;
/** Many a guide names it as where a setting belongs: it is a sign where something is taken from it. */
const dotenv =
  /(?:content|contents|cat|read|reads|open|load|send|paste|copy|dump|values?|variables|text|source|give|supply|attach|include|print|everything|lines)\b[^.\n]{0,60}?[\s"'`/(]\.env(?:$|[\s"'`,;)]|\.(?:local|production|prod|secret)\b|\.(?:\s|$))/;

export function secretPlace({ texts }: Subject): readonly Hit[] {
  return texts.flatMap(({ pointer, text }) => {
    const low = text.toLowerCase().replaceAll('\\', '/').replaceAll('//', '/');
    const place = places.find((one) => low.includes(one));
    if (place !== undefined) return [hit(pointer, `a place of secrets (${place})`, text)];
    return hidden.test(low) || history.test(low) || dotenv.test(low)
      ? [hit(pointer, 'a file that holds secrets', text)]
      : [];
  });
}
