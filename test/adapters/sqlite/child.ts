import { openStore } from '#gateway/adapters/sqlite/open.ts';
import { jobs } from '#test/adapters/store-contract/jobs.ts';

const [path = '', job = '', ...args] = process.argv.slice(2);
await jobs[job]?.(() => openStore(path), args);
