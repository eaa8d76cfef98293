import { randomBytes } from 'node:crypto';
import { Pool } from 'undici';

/**
 * A process that sends `initialize` as fast as sixteen connections can, until it is told to stop, and then says how many
 * answers it got by status: node flood.ts URL TOKEN as-it-is|forged
 */
const [url = '', token = '', kind = ''] = process.argv.slice(2);
const { origin, pathname } = new URL(url);
const pool = new Pool(origin, { connections: 16, pipelining: 1 });
const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'flood', version: '1' } };
const body = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
const signed = token.slice(0, token.lastIndexOf('.'));
const statuses: Record<number, number> = {};
let over = false;

/** The claims and the key of a good token, and a signature that nobody made: each is a new one to check. */
const next = (): string => (kind === 'forged' ? `${signed}.${randomBytes(64).toString('base64url')}` : token);

async function send(): Promise<void> {
  while (!over) {
    const headers = {
      authorization: `Bearer ${next()}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    };
    const answer = await pool.request({ method: 'POST', path: pathname, headers, body });
    await answer.body.dump();
    statuses[answer.statusCode] = (statuses[answer.statusCode] ?? 0) + 1;
  }
}

process.stdin.once('data', () => {
  over = true;
});
process.stdout.write('ready\n');
await Promise.all(Array.from({ length: 16 }, send));
await pool.close();
process.stdout.write(`${JSON.stringify(statuses)}\n`);
process.exit(0);
