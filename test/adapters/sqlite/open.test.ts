import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect } from '#gateway/adapters/sqlite/connection.ts';
import { openStore } from '#gateway/adapters/sqlite/open.ts';
import { migrations } from '#gateway/adapters/sqlite/schema.ts';
import { StoreFault, storeFault } from '#gateway/adapters/sqlite/store-fault.ts';
import { allLines, linesOf } from '#test/adapters/store-contract/store.ts';
import { anApprovalRequest } from '#test/support/approval-request.ts';
import { makeSqliteStore, type SqliteStoreUnderTest } from './store-under-test.ts';

let store: SqliteStoreUnderTest;
let path: string;
beforeEach(async () => {
  store = await makeSqliteStore();
  path = store.path;
});
afterEach(() => store.dispose());

/** What opening says when it cannot; the message of a StoreFault. */
function faultOf(work: () => unknown): StoreFault {
  try {
    work();
  } catch (fault) {
    if (fault instanceof StoreFault) return fault;
    throw fault;
  }
  throw new Error('nothing was thrown');
}

function edit(sql: string, file = path): void {
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
}

const modeOf = (file: string): number => statSync(file).mode & 0o777;
const versionOf = (file: string): unknown => {
  const db = new DatabaseSync(file, { readOnly: true });
  const version = db.prepare('PRAGMA user_version').get()?.user_version;
  db.close();
  return version;
};

describe('the file', () => {
  it('is made with its folder, readable by its owner only, as are the files beside it', () => {
    const file = join(dirname(path), 'new', 'state.db');
    const opened = openStore(file);
    opened.approvals.consume(anApprovalRequest('move'));
    expect(readdirSync(dirname(file)).toSorted()).toEqual(['state.db', 'state.db-shm', 'state.db-wal']);
    for (const name of readdirSync(dirname(file))) expect(modeOf(join(dirname(file), name))).toBe(0o600);
    expect(modeOf(dirname(file))).toBe(0o700);
    opened.close();
  });

  it('is closed to others when it was open to them', () => {
    store.open().close();
    chmodSync(path, 0o644);
    store.open().close();
    expect(modeOf(path)).toBe(0o600);
  });

  it('keeps a write-ahead log and syncs it at every commit', () => {
    const connection = connect(path, { busyMs: 50, migrations });
    expect(connection.prepare('PRAGMA journal_mode').get()?.journal_mode).toBe('wal');
    expect(connection.prepare('PRAGMA synchronous').get()?.synchronous).toBe(2);
    connection.close();
  });

  it('can be opened for the first time by six processes at once', async () => {
    const children = Array.from({ length: 6 }, () => store.spawn('open'));
    const next = children.map(linesOf);
    const said = () => Promise.all(next.map((line) => line()));
    const all = (word: string) => children.map(() => word);
    expect(await said()).toEqual(all('ready'));
    for (let round = 0; round < 30; round++) {
      for (const child of children) child.stdin?.write('open\n');
      expect(await said()).toEqual(all('opened'));
      store.check();
      for (const name of readdirSync(dirname(path))) rmSync(join(dirname(path), name));
    }
  });

  it('can be closed twice, and says so when it is used after', () => {
    const handle = store.open();
    handle.close();
    handle.close();
    const fault = faultOf(() => handle.approvals.consume(anApprovalRequest('move')));
    expect(fault.kind).toBe('closed');
    expect(fault.message).toContain('it was closed');
  });
});

describe('a new version of the file', () => {
  const step = 'ALTER TABLE pin ADD COLUMN note TEXT';

  it('is reached from the old one with its data, and a private copy of the old one stays beside it', () => {
    const old = store.open();
    const answer = old.approvals.consume(anApprovalRequest('move'));
    old.close();
    const handle = openStore(path, { migrations: [...migrations, step] });
    expect(handle.approvals.consume(anApprovalRequest('move'))).toEqual(answer);
    handle.close();
    expect(versionOf(path)).toBe(migrations.length + 1);
    const copy = `${path}.v${migrations.length}.bak`;
    expect(modeOf(copy)).toBe(0o600);
    expect(versionOf(copy)).toBe(migrations.length);
    const restored = openStore(copy);
    expect(restored.approvals.consume(anApprovalRequest('move'))).toEqual(answer);
    restored.close();
  });

  it('leaves everything as it was when a step fails', () => {
    store.open().close();
    const steps = [...migrations, step, 'ALTER TABLE nowhere ADD COLUMN note TEXT'];
    expect(faultOf(() => openStore(path, { migrations: steps })).message).toContain('no such table: nowhere');
    expect(versionOf(path)).toBe(migrations.length);
    expect(readdirSync(dirname(path)).filter((name) => name.includes('.copy-'))).toEqual([]);
    store.open().close();
  });

  it('makes no copy when nothing changes', () => {
    store.open().close();
    store.open().close();
    expect(readdirSync(dirname(path))).toEqual(['state.db']);
  });
});

describe('a file that cannot be used', () => {
  it('is named when it is no database', () => {
    writeFileSync(path, 'version: 1\nservers: {}\n'.repeat(500));
    const fault = faultOf(() => store.open());
    expect(fault.kind).toBe('corrupt');
    expect(fault.message).toBe(
      `The store ${path} cannot be used: it is damaged, or is no SQLite file (file is not a database). Move it away together with its -wal and -shm files and put back a copy. Without a copy the gateway starts a new one, which has forgotten approvals, pinned definitions and what runs have spent.`,
    );
    expect(readFileSync(path, 'utf8')).toContain('version: 1');
  });

  it.each([
    ['garbage in its pages', (bytes: Buffer) => bytes.fill(0x5a, 4096)],
    ['half of it missing', (bytes: Buffer) => bytes.subarray(0, 4096 * 3)],
  ])('is named when it has %s', (_, damage) => {
    store.open().close();
    writeFileSync(path, damage(readFileSync(path)));
    expect(faultOf(() => store.open()).kind).toBe('corrupt');
  });

  it('is named when a record in it cannot be read, and the record grants nothing', () => {
    const handle = store.open();
    const answer = handle.approvals.consume(anApprovalRequest('move'));
    if (answer.state !== 'pending') throw new Error(answer.state);
    handle.approvals.decide(answer.id, { state: 'approved', by: 'grace', why: null }, 1500);
    handle.pins.put(
      'files',
      {
        definitions: { tools: [], prompts: [], templates: [], instructions: null },
        pinned: 1,
        by: 'grace',
        record: 'r',
      },
      null,
    );
    edit(`UPDATE approval SET request = '{"binding":'; UPDATE pin SET definitions = 'x'`);
    expect(faultOf(() => handle.approvals.consume(anApprovalRequest('move'))).message).toContain(answer.id);
    expect(faultOf(() => handle.pins.find('files')).message).toContain('the pin of server files');
  });

  it('is named when a newer gateway wrote it', () => {
    store.open().close();
    edit('PRAGMA user_version = 99');
    expect(faultOf(() => store.open()).kind).toBe('newer');
    expect(versionOf(path)).toBe(99);
  });

  it.each([
    ['with a version', 'CREATE TABLE users (name TEXT); PRAGMA user_version = 1'],
    ['without one', 'CREATE TABLE users (name TEXT)'],
    ['with a higher one', 'CREATE TABLE users (name TEXT); PRAGMA user_version = 99'],
  ])('is named, and left alone, when it belongs to another program, %s', (_, sql) => {
    edit(sql);
    expect(faultOf(() => store.open()).kind).toBe('foreign');
    const db = new DatabaseSync(path);
    expect(db.prepare('SELECT name FROM sqlite_schema').all()).toEqual([{ name: 'users' }]);
    db.close();
  });

  it('is named when another process holds it for itself', async () => {
    store.open().close();
    const code = `
      const { DatabaseSync } = require('node:sqlite');
      const db = new DatabaseSync(process.argv[1]);
      db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; DELETE FROM pin; COMMIT');
      console.log('held');
      setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['-e', code, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      expect(await linesOf(holder)()).toBe('held');
      const fault = faultOf(() => openStore(path, { busyMs: 50 }));
      expect(fault.kind).toBe('locked');
      expect(fault.message).toContain(`The store ${path} cannot be used: another process holds it for itself`);
    } finally {
      holder.kill('SIGKILL');
      await once(holder, 'exit');
    }
    openStore(path, { busyMs: 5000 }).close();
  });

  it.each([
    ['it is a folder', () => mkdirSync(path), () => path],
    ['its folder is a file', () => writeFileSync(path, ''), () => join(path, 'state.db')],
  ])('is named when %s', (_, prepare, where) => {
    prepare();
    const fault = faultOf(() => openStore(where()));
    expect(fault.kind).toBe('unopenable');
    expect(fault.message).toContain(where());
  });

  it.each([
    ['full', 'the disk is full', () => new DatabaseSync(path), 'PRAGMA max_page_count = 3'],
    ['readonly', 'mount the volume read-write', () => new DatabaseSync(path, { readOnly: true }), 'SELECT 1'],
  ])('is named when SQLite says that it is %s', (kind, words, open, prepare) => {
    edit('CREATE TABLE t (x)');
    const db = open();
    db.exec(prepare);
    const fault = faultOf(() => {
      try {
        db.exec('INSERT INTO t VALUES (randomblob(100000))');
      } catch (error) {
        throw storeFault(error, path);
      }
    });
    db.close();
    expect(fault.kind).toBe(kind);
    expect(fault.message).toContain(words);
  });

  it('keeps what it acknowledged when it cannot grow any more, and says that it failed', async () => {
    store.open().close();
    const program = fileURLToPath(new URL('./child.ts', import.meta.url));
    const limited = ['-c', 'ulimit -f 1200; exec "$@"', 'sh', process.execPath, program, path, 'fill'];
    const said = await allLines(spawn('sh', limited, { stdio: ['ignore', 'pipe', 'inherit'] }));
    expect(said.at(-1)).toContain(`fault The store ${path} cannot be used: it failed (disk I/O error)`);
    const handle = store.open();
    const ids = said.slice(0, -1);
    expect(ids.length).toBeGreaterThan(5);
    for (const id of ids) expect(handle.approvals.find(id, 1500)?.state).toBe('pending');
    store.check();
  });

  it('leaves what is no fault of the store as it is', () => {
    const error = new TypeError('a bug');
    expect(storeFault(error, path)).toBe(error);
  });
});
