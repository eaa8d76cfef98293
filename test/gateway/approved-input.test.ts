import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type DualUpstream, startDual } from '#test/support/everything-dual.ts';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { askModern, envelope, type Heard, reasonOf, refusalIn, textOf } from '#test/support/messages.ts';

/** A call that a person has to agree to, whose server then asks for something: one call, one approval, one execution. */

let upstream: DualUpstream;
/** Of the era in which servers ask in the middle of a call. */
let older: EverythingUpstream;
let sekisho: TestGateway;
let token: string;

const [oneRound, twoRounds] = ['test_input_required_result_request_state', 'test_input_required_result_multi_round'];

beforeAll(async () => {
  [upstream, older] = await Promise.all([startDual('modern'), startEverything()]);
  const tools = { '*': { action: 'write', risk: 'high' } };
  sekisho = await startGateway({
    servers: {
      up: anOpenServer(upstream.url, { tools }),
      old: anOpenServer(older.url, { tools, elicitation: 'park' }),
    },
  });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
  await older?.close();
});

beforeEach(async () => {
  token = await sekisho.token();
  upstream.calls.clear();
});

const call = (name: string, more: object = {}, by = token): Promise<Heard> => {
  const meta = envelope({ elicitation: {}, sampling: {}, roots: {} });
  return askModern(sekisho, 'tools/call', { name: `up__${name}`, arguments: {}, ...more }, { token: by, meta });
};
const stateOf = ({ answer }: Heard): string => String(answer.result?.requestState);
const answers = { confirm: { action: 'accept', content: { ok: true } } };
const back = (from: Heard, inputResponses: object = answers) => ({ inputResponses, requestState: stateOf(from) });
const approvals = () => sekisho.gateway.store.approvals;

/** Does what the refusal says: a person agrees to the call that waits. */
function agree(pending: Heard): string {
  const id = String(refusalIn(pending.answer.result)?.approval);
  expect(approvals().decide(id, { state: 'approved', by: 'grace', why: null }, Date.now())).toBe('decided');
  return id;
}

async function approved(name: string): Promise<Heard> {
  agree(await call(name));
  return call(name);
}

describe('a call that was approved and is then asked for something', () => {
  test('goes on without being approved again, through as many rounds as its server likes', async () => {
    const id = agree(await call(twoRounds));
    const first = await call(twoRounds);
    const second = await call(twoRounds, back(first, { step1: { action: 'accept', content: { name: 'Ann' } } }));
    const done = await call(twoRounds, back(second, { step2: { action: 'accept', content: { color: 'blue' } } }));
    expect(textOf(done)).toBe('Ann likes blue');
    const lines = (await sekisho.audit()).slice(-4).map(({ outcome, approval }) => [outcome, approval]);
    expect(lines.map(([outcome]) => outcome)).toEqual(['approval_pending', 'input_required', 'input_required', 'ok']);
    for (const [, approval] of lines.slice(1)) expect(JSON.stringify(approval)).toContain(id);
    expect(approvals().list('pending', Date.now())).toEqual([]);
  });

  test('goes on also where an older server holds it meanwhile, which is called once', async () => {
    const params = { name: 'old__test_elicitation', arguments: { message: 'Sure?' } };
    const ask = (more: object = {}) =>
      askModern(sekisho, 'tools/call', { ...params, ...more }, { token, meta: envelope({ elicitation: {} }) });
    agree(await ask());
    const asked = await ask();
    const [key = ''] = Object.keys(asked.answer.result?.inputRequests ?? {});
    const done = await ask(back(asked, { [key]: { action: 'accept', content: {} } }));
    expect([reasonOf(done), textOf(done)]).toEqual([null, expect.stringContaining('accept')]);
    expect(older.calls.get('test_elicitation')).toBe(1);
  });

  test('is executed once by that: the same state again is asked about, with the answers that would be sent', async () => {
    const asked = await approved(oneRound);
    expect(textOf(await call(oneRound, back(asked)))).toBe('state-ok');
    upstream.calls.clear();
    const again = await call(oneRound, back(asked));
    expect(reasonOf(again)).toBe('approval_pending');
    expect(upstream.calls.size).toBe(0);
    const id = String(refusalIn(again.answer.result)?.approval);
    expect(approvals().find(id, Date.now())).toMatchObject({ responses: answers });
    agree(again);
    expect(reasonOf(await call(oneRound, back(asked, { confirm: { action: 'decline' } })))).toBe('approval_pending');
    expect(textOf(await call(oneRound, back(asked)))).toBe('state-ok');
  });

  test('at once is executed once, however many come back at the same time', async () => {
    const asked = await approved(oneRound);
    const all = await Promise.all(Array.from({ length: 5 }, () => call(oneRound, back(asked))));
    expect(all.map((heard) => reasonOf(heard) ?? textOf(heard)).sort()).toEqual([
      ...Array<string>(4).fill('approval_pending'),
      'state-ok',
    ]);
  });

  test.each<[string, (asked: Heard) => Promise<Heard>]>([
    ['other arguments', (asked) => call(oneRound, { ...back(asked), arguments: { to: 'elsewhere' } })],
    ['another tool', (asked) => call(twoRounds, back(asked))],
    ['another run', async (asked) => call(oneRound, back(asked), await sekisho.token())],
  ])('does not go on with %s: the approval stays with its call', async (_, attack) => {
    const asked = await approved(oneRound);
    upstream.calls.clear();
    const waiting = approvals().list('pending', Date.now());
    expect(reasonOf(await attack(asked))).toBe('input_invalid');
    expect([upstream.calls.size, approvals().list('pending', Date.now())]).toEqual([0, waiting]);
    expect(textOf(await call(oneRound, back(asked)))).toBe('state-ok');
  });

  test('does not lend its approval to answers that nobody asked for yet', async () => {
    const pending = await call(oneRound);
    agree(pending);
    expect(reasonOf(await call(oneRound, { inputResponses: answers }))).toBe('approval_pending');
    expect(upstream.calls.size).toBe(0);
  });
});
