import { rename } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEverything } from '#test/support/everything-upstream.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { openSession, reasonOf } from '#test/support/messages.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';

/** What an hour of careless editing at full load would show, in seconds. */
export interface Findings {
  readonly edits: number;
  readonly calls: number;
  readonly revisions: number;
  readonly broken: number;
  /** What must not be; empty when all is well. */
  readonly wrong: readonly string[];
}

const callers = 4;
const between = 200;

/** Every good edit decides in a way of its own: even ones grant, odd ones deny, each under its own name. */
const good = (n: number): string => {
  const said =
    n % 2 === 0 ? `"grant": [{"id": "EDIT_${n}"}]` : `"grant": [], "deny": [{"code": "EDIT_${n}", "message": "no"}]`;
  return `package sekisho\n\ndecision := {${said}}\n`;
};

/** Each would let everything through if it ever served. */
const broken: readonly ((folder: ScratchFolder) => Promise<unknown>)[] = [
  (folder) => put(folder, 'policies/a.rego', 'package sekisho\n\ndecision := {"grant": [{"id": "BROKEN"}]\n'),
  (folder) => put(folder, 'policies/a.rego', 'package sekisho\n\ndecision := {"grant": [{"id": $"BROKEN{nobody}"}]}\n'),
  async (folder) => {
    await put(
      folder,
      'policies/a_test.rego',
      'package a_test\n\ntest_never if data.sekisho.decision.grant[0].id == "no"\n',
    );
    await put(folder, 'policies/a.rego', 'package sekisho\n\ndecision := {"grant": [{"id": "BROKEN"}]}\n');
  },
  (folder) => put(folder, 'policies/data.json', '{"twice": 1, "twice": 2}'),
];

async function put(folder: ScratchFolder, name: string, text: string): Promise<void> {
  await rename(await folder.write(`drafts/${name.replaceAll('/', '-')}`, text), folder.at(name));
}

/** Good and broken edits in turn, five a second, while callers call without a pause over real sockets. */
export async function reloadUnderLoad(seconds: number): Promise<Findings> {
  const upstream = await startEverything();
  const folder = await scratchFolder({ 'policies/a.rego': good(0), 'policies/data.json': '{}' });
  const servers = { up: { tier: 'internal', url: upstream.url, tools: { '*': { action: 'read' } } } };
  const budgets = { run: { calls: null, bytes: null } };
  const sekisho = await startGateway({ servers, budgets, policy: { path: folder.at('policies') } });
  const wrong: string[] = [];
  const until = performance.now() + seconds * 1000;
  try {
    const [edits, ...calls] = await Promise.all([
      editing(folder, until),
      ...Array.from({ length: callers }, () => calling(sekisho, until, wrong)),
    ]);
    await healed(sekisho, folder, edits + 1, wrong);
    const revisions = await judged(sekisho, wrong);
    const { reloads } = sekisho.gateway.policy.state();
    return { edits, calls: calls.reduce((sum, n) => sum + n, 0), revisions, broken: reloads.broken, wrong };
  } finally {
    await sekisho.close();
    await upstream.close();
    await folder[Symbol.asyncDispose]();
  }
}

async function editing(folder: ScratchFolder, until: number): Promise<number> {
  let n = 0;
  while (performance.now() < until) {
    n++;
    if (n % 2 === 0) await broken[(n / 2) % broken.length]?.(folder);
    else await mend(folder, (n + 1) / 2);
    await sleep(between);
  }
  return n;
}

async function mend(folder: ScratchFolder, n: number): Promise<void> {
  await put(folder, 'policies/a_test.rego', 'package a_test\n');
  await put(folder, 'policies/data.json', '{}');
  await put(folder, 'policies/a.rego', good(n));
}

/** One after the other, as fast as they are answered. A denial is an answer; anything else but a result is a failure. */
async function calling(sekisho: TestGateway, until: number, wrong: string[]): Promise<number> {
  const session = await openSession(sekisho);
  let calls = 0;
  while (performance.now() < until) {
    const heard = await session.call('up__echo', { message: 'x' }, ++calls);
    const reason = reasonOf(heard);
    const fine = heard.status === 200 && (reason === 'tool_unknown' || (reason === null && heard.answer.result));
    if (!fine)
      wrong.push(`a call was answered with ${heard.status} ${reason} ${JSON.stringify(heard.answer.error ?? '')}`);
  }
  return calls;
}

/** After all of it, one good edit is in force within seconds. */
async function healed(sekisho: TestGateway, folder: ScratchFolder, n: number, wrong: string[]): Promise<void> {
  await mend(folder, n);
  const { broken: still } = await sekisho.gateway.policy.reload();
  if (still !== null) wrong.push(`a good edit is not in force: ${JSON.stringify(still)}`);
}

interface Line {
  readonly tool: string | null;
  readonly outcome: string;
  readonly decision: { readonly verdict: string; readonly codes: readonly string[]; readonly revision: string } | null;
}

/** Each audit line's revision and verdict belong together: one revision never decided in two ways, nor two in one. */
async function judged(sekisho: TestGateway, wrong: string[]): Promise<number> {
  const lines = (await sekisho.audit()) as unknown as Line[];
  const byRevision = new Map<string, string>();
  for (const { decision, outcome } of lines.filter(({ tool }) => tool === 'echo')) {
    const said = `${decision?.verdict} ${decision?.codes.join()}`;
    const number = Number(/^(?:allow|deny) EDIT_(\d+)$/.exec(said)?.[1] ?? Number.NaN);
    const even = decision?.verdict === 'allow';
    if (number % 2 !== (even ? 0 : 1)) wrong.push(`a decision that no good edit makes: ${said}`);
    if ((outcome === 'ok') !== even) wrong.push(`${said} ended as ${outcome}`);
    const before = byRevision.get(decision?.revision ?? '');
    if (before !== undefined && before !== said) wrong.push(`${decision?.revision} said ${before} and ${said}`);
    byRevision.set(decision?.revision ?? '', said);
  }
  if (new Set(byRevision.values()).size !== byRevision.size) wrong.push('two revisions decided under one name');
  return byRevision.size;
}
