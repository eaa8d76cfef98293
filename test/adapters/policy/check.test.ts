import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { checkPolicies } from '#gateway/adapters/policy/check.ts';
import { describePolicyError } from '#gateway/adapters/policy/compile.ts';
import { aToolchain, buildTimeout, packFolder } from '#test/support/rego.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';

let folder: ScratchFolder;

beforeAll(async () => {
  await (await aToolchain()).compiler();
}, buildTimeout);
beforeEach(async () => {
  folder = await scratchFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

async function complaints(rules: string, name = 'a.rego'): Promise<string[]> {
  await folder.write('decision.rego', 'package sekisho\n\ndecision := {"grant": []}\n');
  await folder.write(name, `package sekisho\n\n${rules}\n`);
  const { errors } = await checkPolicies(folder.path, await aToolchain());
  return errors.map((error) => describePolicyError(error, ''));
}

const because = (condition: string): string => `deny contains {"code": "X", "message": "m"} if ${condition}`;

test.each([
  [
    'a name at the top',
    because('input.tol.name == "x"'),
    'a.rego:3:48: rego_type_error: undefined ref: input.tol.name',
  ],
  [
    'a name below',
    because('input.server.teir == "x"'),
    'a.rego:3:48: rego_type_error: undefined ref: input.server.teir',
  ],
  [
    'a name below what may be null',
    because('input.tool.nmae == "x"'),
    'a.rego:3:48: rego_type_error: undefined ref: input.tool.nmae',
  ],
  ['a name in a list', because('input.facts.paths[_].rooot == "x"'), 'undefined ref: input.facts.paths[_].rooot'],
  [
    'a name below what goes on under another one',
    because('{\n\tsome url in input.facts.urls\n\turl.hosst == "x"\n}'),
    'a.rego:5:2: rego_type_error: undefined ref: url.hosst',
  ],
  [
    'a name in what holds for every one, inside of another',
    because(
      '{\n\tevery path in input.facts.paths {\n\t\tevery line in input.facts.commands {\n\t\t\tline.clas == path.root\n\t\t}\n\t}\n}',
    ),
    'a.rego:6:4: rego_type_error: undefined ref: line.clas',
  ],
  [
    'a name in a message',
    'deny contains {"code": "X", "message": $"{url.pointr}"} if some url in input.facts.urls',
    'a.rego:3:43: rego_type_error: undefined ref: url.pointr',
  ],
  [
    'a name in what a rule stands for',
    `deny contains {"code": "X", "message": "m"} if {\n\tsome line in all.commands\n\tline.clas == "x"\n}\n\nall := input.facts`,
    'a.rego:5:2: rego_type_error: undefined ref: line.clas',
  ],
  [
    'a number compared with a text, which never holds',
    because('input.time.minute == "5"'),
    'a.rego:3:48: rego_type_error: match error',
  ],
  [
    'a row without its code',
    'deny contains {"message": "m"} if input.dry_run',
    'a.rego:3:15: decision_shape: a row of deny needs "code"',
  ],
  [
    'a row with a misspelt key',
    'grant contains {"id": "x", "ids": 1}',
    'a.rego:3:28: decision_shape: a row of grant has no "ids"',
  ],
])('%s is an error at its place', async (_, rules, complaint) => {
  expect((await complaints(rules)).join('\n')).toContain(complaint);
});

test.each([
  ['what may be null, compared with null', because('input.tool == null')],
  [
    'an argument of any name, under another one',
    because('{\n\tsome one in input.arguments.list\n\tone.deep == "x"\n}'),
  ],
  [
    'what holds for every one, by one name twice',
    because(
      '{\n\tevery url in input.facts.urls {\n\t\turl.host == "x"\n\t}\n\tevery url in input.facts.urls {\n\t\turl.port == 1\n\t}\n}',
    ),
  ],
  ['data of any name', because('{\n\tsome host in data.egress\n\thost.deep == input.server.id\n}')],
  ['an argument of any name', because('input.arguments.anything.deep == "x"')],
  ['an annotation of any name', because('input.tool.annotations.readOnlyHint == true')],
  ['a row whose keys are worked out', 'deny contains {key: "x"} if some key in ["code", "message"]'],
  ['a row that is a variable', 'deny contains row if row := {"code": "X", "message": "m"}'],
])('%s is none', async (_, rules) => {
  expect(await complaints(rules)).toEqual([]);
});

test('every place is named at once', async () => {
  const rules = [because('input.tol == 1'), 'deny contains {"cod": 1}', because('input.tool.nmae == 1')];
  expect(await complaints(rules.join('\n\n'))).toHaveLength(5);
});

test('nothing is wrong with the shipped pack', async () => {
  expect((await checkPolicies(packFolder, await aToolchain())).errors).toEqual([]);
});
