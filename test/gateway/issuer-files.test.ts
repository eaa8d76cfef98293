import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { StartRefused } from '#gateway/start-refused.ts';
import { startGateway } from '#test/support/gateway.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

const issuer = 'https://k8s.test';
const audience = 'http://127.0.0.1:7410/mcp';
const rule = {
  ...{ id: 'k8s', issuer, audience, match: { sub: 'x' }, run: { id: 'k8s:${sub}' } },
  grant: { tiers: ['internal'], tools: ['up.*'] },
};

const person = { id: 'idp', issuer, audience };

test.each<[string, string, (keys: object) => object]>([
  ['keys of a trust rule', 'file', (keys) => ({ runs: [{ ...rule, keys }] })],
  ['authority of a trust rule', 'ca', (keys) => ({ runs: [{ ...rule, keys }] })],
  ['keys of people', 'file', (keys) => ({ people: [{ ...person, keys }] })],
  ['authority of people', 'ca', (keys) => ({ people: [{ ...person, keys }] })],
])('a file with the %s that is not there refuses the start, and says which', async (_, member, identity) => {
  await using scratch = await scratchFolder();
  const starting = startGateway({ identity: identity({ [member]: scratch.at('wrong.json') }) });
  await expect(starting).rejects.toThrow(StartRefused);
  await expect(starting).rejects.toThrow(/wrong\.json", for the issuer https:\/\/k8s\.test, cannot be read \(ENOENT\)/);
});

test.each([
  ['no JSON', 'nonsense', /not well-formed|its keys: the document/],
  ['no keys', '{"keys":[]}', /none of them is one that is used here/],
  ['a private key', '{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"x","d":"secret-half"}]}', /one is private/],
])('a file of keys that holds %s refuses the start, without quoting it', async (_, text, why) => {
  await using scratch = await scratchFolder();
  await writeFile(scratch.at('keys.json'), text);
  const said = await startGateway({ identity: { runs: [{ ...rule, keys: { file: scratch.at('keys.json') } }] } }).catch(
    (fault: unknown) => fault,
  );
  expect(said).toBeInstanceOf(StartRefused);
  expect(String(said)).toMatch(why);
  expect(String(said)).not.toContain('secret-half');
});
