import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { compilePolicy } from '#gateway/adapters/policy/compile.ts';
import { createPolicyEngine } from '#gateway/adapters/policy/engine.ts';
import { PolicyFault } from '#gateway/adapters/policy/policy-fault.ts';
import { decide } from '#gateway/core/decision.ts';
import type { PathFact } from '#gateway/core/facts.ts';
import { type Asked, policyInput } from '#gateway/core/policy-input.ts';
import { noContract } from '#gateway/core/schema/contract.ts';
import type { Policy, Target } from '#gateway/core/snapshot.ts';
import { aToolchain, buildTimeout, packFolder } from '#test/support/rego.ts';

let policy: Policy;

beforeAll(async () => {
  const made = await compilePolicy({ directory: packFolder, toolchain: await aToolchain() });
  if ('errors' in made) throw new Error(JSON.stringify(made.errors));
  policy = createPolicyEngine(made);
}, buildTimeout);

interface Wish extends Partial<Omit<Asked, 'target'>> {
  readonly id?: string;
  readonly groups?: readonly string[];
  readonly tier?: Target['server']['tier'];
  readonly target?: Partial<Target>;
  readonly paths?: readonly PathFact[];
}

const inside: PathFact = { pointer: '/path', canonical: '/w/workspace/a.txt', root: 'workspace', escapes: false };
const outside: PathFact = { pointer: '/path', canonical: '/etc/passwd', root: null, escapes: true };

function asked({
  id = 'run:7f3a',
  groups = [],
  tier = 'internal',
  target,
  paths = [inside],
  ...rest
}: Wish = {}): Asked {
  return {
    phase: 'call',
    method: 'tools/call',
    call: '0192f0c1',
    at: 1_760_000_000_000,
    dryRun: false,
    identity: {
      principal: { type: 'run', id, groups, scopes: [] },
      agent: { id: null },
      run: { id: '7f3a', repo: null, ref: null, deadline: null, budget: { calls: null, bytes: null } },
      ceiling: { tiers: null, tools: null },
      token: { id: 'j', key: 'k', issued: 0, rule: null, source: null, sourceToken: null, boundTo: null, actors: null },
      issuer: 'https://sekisho.local',
      expires: 0,
    },
    client: { revision: '2025-11-25', capabilities: {}, info: { name: 'x', version: '1' }, logLevel: null },
    target: {
      kind: 'tool',
      server: {
        id: 'files',
        tier,
        transport: 'stdio',
        limits: { answer: 1, timeout: 1, connect: 1, firstByte: 1, idle: 1, inflight: 1 },
        roots: {},
        base: '/w',
        trust: { status: 'unsigned', key: null, note: '' },
        capabilities: {},
        instructions: null,
        known: true,
        closed: null,
      },
      name: 'read_text_file',
      exposed: 'files__read_text_file',
      listed: {},
      digest: 'sha256-x',
      action: 'read',
      risk: 'low',
      ...{ paths: ['/path'], urls: [], commands: [], branches: [] },
      mirrors: [],
      hasOutputSchema: false,
      contract: noContract,
      shownBy: null,
      closed: null,
      ...target,
    },
    args: { path: 'a.txt' },
    argsBytes: 16,
    argsDigest: () => null,
    facts: { paths, urls: null, commands: null, branches: null },
    secrets: () => null,
    responses: null,
    question: null,
    spending: null,
    result: null,
    taint: () => null,
    ...rest,
  };
}

function verdict(wish: Wish = {}): readonly string[] {
  const decision = decide(policy.judge(policyInput(asked(wish))));
  return decision.verdict === 'unusable' ? ['unusable', decision.why] : [decision.verdict, ...decision.codes];
}

const listed = { phase: 'list', method: 'tools/list', args: {}, argsBytes: 2, paths: [] } as const;
const write = { name: 'write_file', action: 'write', risk: 'medium' } as const;
const move = { name: 'move_file', action: 'write', risk: 'high', paths: ['/source', '/destination'] } as const;
const bothEnds = [
  { ...inside, pointer: '/source' },
  { ...inside, pointer: '/destination' },
];

describe('the shipped pack, asked as the gateway asks', () => {
  test.each<[string, Wish, readonly string[]]>([
    ['a run reads', {}, ['allow', 'development-reads']],
    ['a developer reads', { id: 'ann', groups: ['developers'] }, ['allow', 'development-reads']],
    ['a stranger reads', { id: 'bob' }, ['deny', 'NOT_GRANTED']],
    ['a run reads on a public server', { tier: 'public' }, ['allow', 'development-reads']],
    ['a run writes inside the workspace', { target: write }, ['allow', 'development-writes']],
    ['a run writes outside of it', { target: write, paths: [outside] }, ['deny', 'PATH_OUTSIDE_ROOT']],
    ['a run reads outside of it', { paths: [outside] }, ['deny', 'PATH_OUTSIDE_ROOT']],
    ['a run writes where no path was found', { target: write, paths: [] }, ['deny', 'PATH_UNKNOWN']],
    [
      'a run writes with a tool that names no paths',
      { target: { ...write, paths: [] }, paths: [] },
      ['allow', 'development-writes'],
    ],
    ['a run writes on a public server', { target: write, tier: 'public' }, ['deny', 'NOT_GRANTED']],
    ['a run moves a file', { target: move, paths: bothEnds }, ['ask', 'RISKY_CALL']],
    [
      'a run moves a file out',
      { target: move, paths: [bothEnds[0] ?? inside, outside] },
      ['deny', 'PATH_OUTSIDE_ROOT', 'PATH_UNKNOWN'],
    ],
    ['a run deletes', { target: { action: 'delete' } }, ['deny', 'NOT_GRANTED']],
    [
      'a run executes on a public server',
      { target: { action: 'exec' }, tier: 'public' },
      ['deny', 'PATH_OUTSIDE_ROOT', 'TIER_ACTION'],
    ],
    [
      'a run uses a tool that nobody classified',
      { target: { action: null, risk: null } },
      ['deny', 'TOOL_UNCLASSIFIED'],
    ],
    ['a run reads on a server in quarantine', { tier: 'quarantined' }, ['deny', 'SERVER_QUARANTINED']],
  ])('%s', (_, wish, expected) => {
    const [word, ...codes] = verdict(wish);
    expect([word, ...codes.sort()]).toEqual(expected);
  });

  test.each(['resource', 'template', 'prompt'] as const)('reads a %s by the same grants', (kind) => {
    const target = { kind, name: 'file:///a', paths: [] };
    for (const phase of ['list', 'read', 'prompt', 'complete'] as const) {
      expect(verdict({ phase, target, paths: [] })).toEqual(['allow', 'development-reads']);
      expect(verdict({ phase, target, paths: [], id: 'bob' })).toEqual(['deny', 'NOT_GRANTED']);
      expect(verdict({ phase, target, paths: [], tier: 'quarantined' })).toEqual(['deny', 'SERVER_QUARANTINED']);
    }
  });

  test('lists exactly what may be called with good arguments', () => {
    for (const action of ['read', 'write', 'delete', 'exec', 'egress', 'admin', null] as const) {
      for (const tier of ['local', 'internal', 'partner', 'public', 'quarantined'] as const) {
        for (const risk of ['low', 'medium', 'high', 'critical'] as const) {
          for (const id of ['run:1', 'bob']) {
            const target = { action, risk, paths: [] };
            expect(verdict({ ...listed, id, tier, target })).toEqual(verdict({ id, tier, target, paths: [] }));
          }
        }
      }
    }
  });

  test('a write is listed before its path is known', () => {
    expect(verdict({ ...listed, target: write })).toEqual(['allow', 'development-writes']);
  });

  test('grants a stranger nothing, whatever else the input holds', () => {
    const keys = Object.keys(policyInput(asked())).filter((key) => key !== 'principal');
    const changes = fc.dictionary(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 3 }));
    fc.assert(
      fc.property(changes, (change) => {
        const input = { ...policyInput(asked({ id: 'bob' })), ...change };
        try {
          const { verdict: word } = decide(policy.judge(input));
          expect(word).toBe('deny');
        } catch (fault) {
          if (!(fault instanceof PolicyFault)) throw fault;
        }
      }),
      { numRuns: 500 },
    );
  });

  test('gives a readable decision about any arguments at all', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (args) => {
        expect(verdict({ args })).toEqual(['allow', 'development-reads']);
      }),
      { numRuns: 500 },
    );
  });
});

describe('policies/README.md', () => {
  const jsonBlocks = async (): Promise<unknown[]> => {
    const text = await readFile(join(packFolder, 'README.md'), 'utf8');
    return [...text.matchAll(/^```json\n(.*?)^```$/gms)].map(([, json = '']) => JSON.parse(json) as unknown);
  };

  test('shows the example input and the decision about it, as they are', async () => {
    const [input, decision] = await jsonBlocks();
    expect(input).toEqual(JSON.parse(await readFile(join(packFolder, 'example-input.json'), 'utf8')));
    expect(policy.judge(input as object)).toEqual(decision);
  });

  test('shows an input with the very keys that the gateway sends', async () => {
    const [input] = await jsonBlocks();
    expect(keysOf(input)).toEqual(keysOf(policyInput(asked({ args: { path: '', content: '' } }))));
  });

  test('shows a rule that compiles and does what it says', async () => {
    const text = await readFile(join(packFolder, 'README.md'), 'utf8');
    const rule = /^```rego\n(.*?)^```$/ms.exec(text)?.[1] ?? '';
    expect(rule).toContain('TOO_LATE');
    const { errors, friday } = await withRule(rule);
    expect(errors).toEqual([]);
    expect(friday).toEqual(['deny', 'TOO_LATE']);
  });
});

/** Dotted names of all members, lists and scalars being leaves. */
function keysOf(value: unknown, at = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [at];
  return Object.entries(value)
    .flatMap(([key, member]) => keysOf(member, `${at}/${key}`))
    .sort();
}

async function withRule(rule: string): Promise<{ errors: readonly unknown[]; friday: readonly string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-readme-'));
  try {
    await cp(packFolder, folder, { recursive: true });
    await writeFile(join(folder, 'sekisho', 'friday.rego'), rule);
    const made = await compilePolicy({ directory: folder, toolchain: await aToolchain() });
    if ('errors' in made) return { errors: made.errors, friday: [] };
    const friday = asked({ target: write, at: Date.UTC(2026, 0, 2) });
    const decision = decide(createPolicyEngine(made).judge(policyInput(friday)));
    return { errors: [], friday: decision.verdict === 'unusable' ? [] : [decision.verdict, ...decision.codes] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
