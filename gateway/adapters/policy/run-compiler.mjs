// Runs in a child process of its own: `node --liftoff-only run-compiler.mjs FOLDER < request.json > answer.json`.
// FOLDER holds compiler.wasm and the wasm_exec.js of the Go that built it. The compiler sees three streams and nothing
// else of this machine: no file, no environment, no working folder.
import { readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = process.argv[2];
const asked = readFileSync(0);
let position = 0;

const refuse = (...rest) => rest.at(-1)(Object.assign(new Error('not here'), { code: 'ENOSYS' }));
const write = (fd, bytes) => {
  let written = 0;
  while (written < bytes.length) written += writeSome(fd, bytes.subarray(written));
  return bytes.length;
};
function writeSome(fd, bytes) {
  try {
    return writeSync(fd, bytes);
  } catch (cause) {
    if (cause.code === 'EAGAIN') return 0; // the parent reads slowly
    throw cause;
  }
}

const streams = {
  constants: { O_WRONLY: -1, O_RDWR: -1, O_CREAT: -1, O_TRUNC: -1, O_APPEND: -1, O_EXCL: -1, O_DIRECTORY: -1 },
  writeSync: write,
  write: (fd, bytes, offset, length, _at, done) => done(null, write(fd, bytes.subarray(offset, offset + length))),
  read(fd, bytes, offset, length, _at, done) {
    if (fd !== 0) return refuse(done);
    const taken = asked.copy(bytes, offset, position, position + length);
    position += taken;
    return done(null, taken);
  },
  fsync: (_fd, done) => done(null),
};
globalThis.fs = new Proxy(streams, { get: (known, name) => known[name] ?? refuse });

await import(pathToFileURL(join(folder, 'wasm_exec.js')).href);
const go = new globalThis.Go();
// At once, for everything was written synchronously: a timer of the Go scheduler that fires later would end in an exception.
go.exit = (code) => process.exit(code);
const { instance } = await WebAssembly.instantiate(readFileSync(join(folder, 'compiler.wasm')), go.importObject);
await go.run(instance);
