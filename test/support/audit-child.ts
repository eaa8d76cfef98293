import { createAudit } from '#gateway/adapters/telemetry/audit.ts';
import { anEnd } from '#test/support/call-ends.ts';
import { silentLog } from '#test/support/logs.ts';

/** A process that records forty calls into the file it is given, and says when it may not go on and when it is done. */
const audit = createAudit({
  path: process.argv[2] ?? '',
  onFailure: 'block',
  hmacKey: Buffer.alloc(32),
  log: silentLog(),
});
for (let i = 0; i < 40; i++) audit.recorder.record(anEnd());
await audit.flush().catch((error: NodeJS.ErrnoException) => console.log(`refused ${error.code}`));
while (!audit.ready()) await new Promise((resolve) => setTimeout(resolve, 20));
await audit.flush();
await audit.close();
console.log('done');
