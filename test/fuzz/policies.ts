import { compilePolicy } from '#gateway/adapters/policy/compile.ts';
import { createPolicyEngine } from '#gateway/adapters/policy/engine.ts';
import { remembering } from '#gateway/adapters/policy/remember.ts';
import type { Policy } from '#gateway/core/snapshot.ts';
import { aPolicy, aToolchain, packFolder } from '#test/support/rego.ts';

// Allows whatever it does not see something evil in: where the engine loses the document, this is what lets it through.
const denyList = `
decision := {"grant": [{"id": "all"}], "deny": deny}

deny contains {"code": "EVIL", "message": "a value"} if {
	walk(input, [_, value])
	is_string(value)
	endswith(value, "evil")
}

deny contains {"code": "EVIL", "message": "a key"} if {
	walk(input, [path, _])
	path[count(path) - 1] == "evil"
}`;

const asks = (rule: string): string => `decision := {"grant": [{"id": "all"} | false], "warn": found}\n\n${rule}`;
const found = (condition: string): string =>
  asks(`found contains {"code": "X", "message": "m"} if {\n\t${condition.split('; ').join('\n\t')}\n}`);

/** Rules as people write them who do not think of what a caller may send. */
const careless: Readonly<Record<string, string>> = {
  'three loops': found('some a in input.list; some b in input.list; some c in input.list; a != b; b != c; a == c'),
  'all pairs of the whole': found('walk(input, [_, a]); walk(input, [_, b]); a != b'),
  regex: found('walk(input, [_, a]); regex.match("(a+)+(x+)+$", a)'),
  'regex of the caller': found('some a in input.list; some b in input.list; regex.match(a, b)'),
  glob: found('walk(input, [_, a]); glob.match("**x*x*x", ["/"], a)'),
  supplied: found('walk(input, [_, a]); strings.count(regex.replace(a, "x+", "y"), "y") > 0; crypto.sha256(a) != ""'),
  'supplied patterns of the caller': found('walk(input, [_, a]); some b in input.list; regex.find_n(b, a, -1) != []'),
  'supplied, each to the end': found('walk(input, [_, a]); regex.replace(a, ".*?y|x", a) != a'),
  'supplied searches': found('walk(input, [_, a]); some b in input.list; indexof_n(a, b) != [strings.count(a, b)]'),
  'supplied pairs': found('l := [a | walk(input, [_, a]); is_string(a)]; strings.any_prefix_match(l, input.list)'),
  'supplied, small': found('some a in input.list; urlquery.decode(urlquery.encode(a)) == hex.decode(hex.encode(a))'),
  'supplied, of the whole': found('a := json.marshal(input); semver.is_valid(a); glob.quote_meta(a) == a'),
  sorted: found('count(sort([a | walk(input, [_, a])])) > 3'),
  texts: found('a := json.marshal(input); contains(a, replace(a, "x", "xx"))'),
  numbers: found('some a in input.list; count(numbers.range(1, to_number(a))) > 1'),
};

/** What is fuzzed, by name. `sees` are those that must deny whatever holds something evil. */
export async function fuzzedPolicies(): Promise<{
  readonly sees: Policy;
  readonly others: ReadonlyMap<string, Policy>;
}> {
  const others = new Map<string, Policy>();
  for (const [name, rules] of Object.entries(careless)) others.set(name, await aPolicy(rules));
  const pack = await compilePolicy({ directory: packFolder, toolchain: await aToolchain() });
  if ('errors' in pack) throw new Error(JSON.stringify(pack.errors));
  others.set('the shipped pack', remembering(createPolicyEngine(pack), pack.inputRefs));
  return { sees: await aPolicy(denyList), others };
}
