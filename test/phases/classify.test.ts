import { describe, expect, test } from 'vitest';
import { learn } from '#gateway/core/call.ts';
import { isRefusal, shownReason } from '#gateway/core/refusals.ts';
import { untainted } from '#gateway/core/taint.ts';
import { classify } from '#gateway/phases/classify.ts';
import { route } from '#gateway/phases/route.ts';
import {
  aCall,
  aCatalogue,
  allowAll,
  anIdentity,
  aPolicy,
  digests,
  serverFacts,
  someDefinitions,
} from '#test/support/values.ts';

const inputSchema = { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } };
const tools = [{ name: 'scale', inputSchema }];
const facts = serverFacts('s', { catalogue: aCatalogue({ approved: someDefinitions({ tools }) }) });
const spending = { calls: { used: 0, limit: null }, bytes: { used: 0, limit: null } };
const ports = {
  hashing: { sha256: digests.sha256 },
  budgets: { spending: () => spending } as never,
  taints: { of: () => untainted },
  runBudget: { calls: null, bytes: null },
};

function classified(args: unknown, paramHeaders: Record<string, string> | null, policy = allowAll) {
  const params = { name: 's__scale', arguments: args as never };
  const routed = route(learn(aCall({ params, paramHeaders }, [facts], policy), { identity: anIdentity() }));
  if (isRefusal(routed)) throw new Error('not routed');
  return classify(routed, ports);
}

describe('classify', () => {
  test.each([
    ['says what the arguments say', { region: 'eu' }, { 'mcp-param-region': 'eu' }],
    ['is not there, nor what it mirrors', {}, {}],
    ['is of the legacy era, where it means nothing', { region: 'eu' }, null],
  ])('lets a call pass whose header %s', (_, args, headers) => {
    expect(classified(args, headers)).toMatchObject({ args });
  });

  test.each([
    ['says something else', { 'mcp-param-region': 'us' }],
    ['is missing', {}],
  ])('refuses a call whose header %s', (_, headers) => {
    expect(classified({ region: 'eu' }, headers)).toMatchObject({ refused: 'header_mismatch' });
  });

  const nothing = aPolicy(() => ({}));
  test.each<[string, unknown, Record<string, string>]>([
    ['a wrong header', { region: 'eu' }, {}],
    ['arguments of a wrong kind', [], {}],
  ])('says of a tool that the caller may not see, called with %s, that there is none', (_, args, headers) => {
    const refusal = classified(args, headers, nothing);
    expect(isRefusal(refusal) && shownReason(refusal)).toBe('tool_unknown');
  });
});
