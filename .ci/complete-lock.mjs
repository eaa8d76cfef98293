// Run after every `npm install` that changed package-lock.json: `npm run lock`.
//
// npm leaves an optional package out of the lock when the registry it asked does not have it (a mirror without the
// Android builds of a tool, say), and `npm ci` then refuses the whole lock. This adds what is missing: name, version and
// platform, so that a machine of another platform skips it and one of that platform fetches it.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const systems = ['android', 'darwin', 'freebsd', 'linux', 'win32', 'openharmony', 'netbsd', 'openbsd', 'sunos', 'aix'];
const processors = ['arm64', 'x64', 'arm', 'ppc64', 'riscv64', 's390x', 'ia32'];

/** Where npm would find `name` from the package at `from`: beside it, or in a folder above. */
function found(from, name) {
  for (let at = from; ; at = at.includes('/node_modules/') ? at.slice(0, at.lastIndexOf('/node_modules/')) : '') {
    if (lock.packages[`${at ? `${at}/` : ''}node_modules/${name}`]) return true;
    if (at === '') return false;
  }
}

function entry(name, range, dev) {
  const parts = name.split(/[/-]/);
  const platform = {
    os: [systems.find((os) => parts.includes(os)) ?? 'none'],
    cpu: [processors.find((cpu) => parts.includes(cpu)) ?? 'none'],
    ...(name.includes('musl') ? { libc: ['musl'] } : {}),
  };
  return { version: range.replace(/^[\^~]/, ''), ...platform, ...(dev ? { dev: true } : {}), optional: true };
}

for (const [at, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(optionalDependencies)) {
    if (found(at, name)) continue;
    lock.packages[`node_modules/${name}`] = entry(name, range, dev);
    process.stderr.write(`added ${name} ${range}\n`);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
