import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { beforeAll, describe, expect, test } from 'vitest';
import { type CommandFact, commandFacts } from '#gateway/core/command-facts.ts';
import { decide } from '#gateway/core/decision.ts';
import { findingKinds, resultFacts } from '#gateway/core/findings/result-facts.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import { obligationTypes } from '#gateway/core/obligations.ts';
import { type Asked, policyInput } from '#gateway/core/policy-input.ts';
import { serverQuestion } from '#gateway/core/server-question.ts';
import type { View } from '#gateway/core/snapshot.ts';
import { type UrlFact, urlFacts } from '#gateway/core/url-facts.ts';
import { packFolder } from '#test/support/rego.ts';
import { aCall, aCatalogue, anIdentity, legacyClient, serverFacts, someDefinitions } from '#test/support/values.ts';

let input: ValidateFunction;
let decision: ValidateFunction;

beforeAll(async () => {
  const compile = async (name: string): Promise<ValidateFunction> =>
    new Ajv({ allErrors: true }).compile(JSON.parse(await readFile(join(packFolder, 'schemas', name), 'utf8')));
  input = await compile('input.json');
  decision = await compile('decision.json');
});

/** Every member is required and no other is allowed: so it is a schema of what the gateway sends, not of what it may. */
function wrongWith(document: unknown): unknown {
  input(JSON.parse(JSON.stringify(document)));
  return input.errors ?? [];
}

const definitions = someDefinitions({
  prompts: [{ name: 'p' }],
  templates: [{ name: 't', uriTemplate: 'file:///{x}' }],
});
const resources = [{ uri: 'file:///a', name: 'a' }];
const facts = serverFacts('files', { catalogue: aCatalogue({ approved: definitions, resources }) });
const view = aCall({}, [facts]).view;

const lines: JsonObject = { url: 'https://x.io/a', other: 'nonsense', line: 'git log', bad: 'a; b' };
const beside = {
  urls: urlFacts(lines, ['/url', '/other']) as readonly UrlFact[],
  commands: commandFacts(lines, ['/line', '/bad']) as readonly CommandFact[],
  branches: [
    { pointer: '/branch', branch: 'main' },
    { pointer: '/line', branch: null },
  ],
};

const asked = (target: View['templates'][number] | undefined, over: Partial<Asked> = {}): Asked => {
  if (!target) throw new Error('the view has none');
  return {
    ...{ phase: 'call', method: 'tools/call', call: 'c', at: 1_760_000_000_000, dryRun: false },
    ...{
      identity: anIdentity(),
      client: legacyClient,
      target,
      args: { a: [1] },
      argsBytes: 9,
      argsDigest: () => 'sha256-x',
    },
    ...{
      facts: { paths: [{ pointer: '/p', canonical: '/w/a', root: 'w', escapes: false }], ...beside },
      secrets: () => [{ part: 'arguments', pointer: '/a', kind: 'jwt' }],
      responses: null,
      question: null,
      spending: null,
      result: null,
      taint: () => ({ taint: ['public'], sensitivity: [] }),
    },
    ...over,
  } as Asked;
};

describe('the schema of the input', () => {
  test.each<[string, () => Asked]>([
    ['a tool', () => asked([...view.tools.values()][0])],
    [
      'a call that comes back',
      () => asked([...view.tools.values()][0], { responses: { confirm: { action: 'accept' } } }),
    ],
    [
      'a form of a server',
      () => asked([...view.tools.values()][0], { phase: 'elicit', question: serverQuestion('elicitation/create', {}) }),
    ],
    [
      'a page of a server',
      () =>
        asked([...view.tools.values()][0], {
          phase: 'elicit',
          question: serverQuestion('elicitation/create', { mode: 'url', url: 'https://a.test/' }),
        }),
    ],
    [
      'a sampling',
      () =>
        asked([...view.tools.values()][0], { phase: 'sample', question: serverQuestion('sampling/createMessage', {}) }),
    ],
    [
      'an answer',
      () =>
        asked([...view.tools.values()][0], {
          phase: 'result',
          result: resultFacts({ content: [{ type: 'text', text: 'mail a@b.io' }] }, true),
        }),
    ],
    ['a prompt', () => asked([...view.prompts.values()][0], { phase: 'prompt' })],
    ['a resource', () => asked([...view.resources.values()][0], { phase: 'read' })],
    ['a template', () => asked(view.templates[0], { phase: 'complete' })],
    [
      'a list',
      () =>
        asked([...view.tools.values()][0], {
          phase: 'list',
          args: {},
          argsDigest: () => null,
          facts: { paths: [], urls: [], commands: null, branches: null },
        }),
    ],
  ])('is that of a question about %s', (_, question) => {
    expect(wrongWith(policyInput(question()))).toEqual([]);
  });

  test('is that of the example', async () => {
    expect(wrongWith(JSON.parse(await readFile(join(packFolder, 'example-input.json'), 'utf8')))).toEqual([]);
  });

  test('knows every kind of finding', async () => {
    const schema = JSON.parse(await readFile(join(packFolder, 'schemas', 'input.json'), 'utf8'));
    const { kind } = schema.properties.result.anyOf[0].properties.findings.items.properties;
    expect([...kind.enum].sort()).toEqual([...findingKinds].sort());
  });

  test('knows when something is missing or more', () => {
    const question = policyInput(asked([...view.tools.values()][0])) as Record<string, object>;
    expect(wrongWith({ ...question, tool: { ...question.tool, more: 1 } })).not.toEqual([]);
    expect(wrongWith({ ...question, time: undefined })).not.toEqual([]);
  });
});

const grant = { id: 'g' };
const obligations: Readonly<Record<string, object>> = {
  max_answer_bytes: { bytes: 1 },
  timeout: { ms: 1 },
  rate_limit: { key: 'run', per_min: 1 },
  redact: { on: 'result', kinds: ['email'] },
  patch_arguments: { ops: [{ op: 'remove', path: '/a' }] },
  log: { level: 'full' },
  step_up: { scope: 'tickets:write' },
  taint: { add: ['public'] },
  halt_run: { reason: 'enough' },
};
const deny = { code: 'X', message: 'm' };

describe('the schema of the decision agrees with the gateway on', () => {
  test.each<[string, object]>([
    ['an empty one', {}],
    ['a grant', { grant: [grant] }],
    [
      'all that there is',
      { grant: [grant], deny: [{ ...deny, detail: {}, mode: 'warn' }], warn: [deny], obligations: [] },
    ],
    ['an ask', { approve: [{ code: 'X', groups: ['a'], ttl_s: 60, not_requester: true, message: 'm', min: 1 }] }],
    ['an obligation', { obligations: [{ id: 'o', type: 'max_answer_bytes', properties: { bytes: 1 } }] }],
    ['a member nobody knows', { grants: [grant] }],
    ['a grant with more', { grant: [{ ...grant, why: 'x' }] }],
    ['a grant that is text', { grant: ['g'] }],
    ['a deny without a message', { deny: [{ code: 'X' }] }],
    ['a deny that is tried out', { grant: [grant], deny: [{ ...deny, mode: 'shadow' }] }],
    ['an ask that is tried out', { grant: [grant], approve: [{ code: 'X', mode: 'shadow' }] }],
    ['an ask of another mode', { grant: [grant], approve: [{ code: 'X', mode: 'off' }] }],
    ['a deny of another mode', { deny: [{ ...deny, mode: 'Warn' }] }],
    ['a deny whose mode is a list', { deny: [{ ...deny, mode: ['warn'] }] }],
    ['an ask for two people', { approve: [{ code: 'X', min: 2 }] }],
    ['an ask for two days', { approve: [{ code: 'X', ttl_s: 172_800 }] }],
    ...Object.entries(obligations).map(([type, properties]): [string, object] => [
      `the obligation ${type}`,
      { obligations: [{ id: 'o', type, properties }] },
    ]),
    ['an obligation nobody knows', { obligations: [{ id: 'o', type: 'pray', properties: {} }] }],
  ])('%s', (_, document) => {
    expect(decision(document)).toBe(decide(document).verdict !== 'unusable');
  });

  test('every obligation that there is', () => {
    expect(Object.keys(obligations).sort()).toEqual([...obligationTypes].sort());
  });
});
