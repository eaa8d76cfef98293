import { isFlaw, isJsonObject, type JsonObject, type JsonValue, parseStrict } from './json.ts';
import type { Subject } from './trust-rule.ts';

/** Where a cluster is asked (authentication.k8s.io/v1). */
export const reviewPath = '/apis/authentication.k8s.io/v1/tokenreviews';

const apiVersion = 'authentication.k8s.io/v1';
const kind = 'TokenReview';
/** Levels of JSON: the answer holds what the API server notes about its own fields. */
const mostDepth = 32;

export const reviewBody = (token: string, audience: string): string =>
  JSON.stringify({ apiVersion, kind, spec: { token, audiences: [audience] } });

/**
 * What a cluster said of a token whose signature was checked already. `gone`: what it was given out for is not there any
 * more, or is somebody else by now. `why`: it said nothing that can be relied on.
 */
export function readReview(
  text: string,
  audience: string,
  { claims }: Pick<Subject, 'claims'>,
): 'alive' | 'gone' | { readonly why: string } {
  const parsed = parseStrict(text, mostDepth);
  const answer = isFlaw(parsed) ? null : parsed.value;
  if (!isObject(answer) || answer.kind !== kind || answer.apiVersion !== apiVersion || !isObject(answer.status)) {
    return { why: 'its answer is no TokenReview' };
  }
  const { authenticated, audiences, user = {} } = answer.status;
  if (authenticated !== true) return 'gone';
  // An API server that does not know of audiences has judged the token for itself, not for us (TokenReview, spec.audiences).
  if (!Array.isArray(audiences) || !audiences.includes(audience)) return { why: 'it did not judge the audience' };
  if (!isObject(user) || user.username !== claims.sub) return 'gone';
  const extra = isObject(user.extra) ? user.extra : {};
  const pod = valueAt(claims, 'kubernetes.io', 'pod', 'uid');
  if (pod !== undefined && !names(extra['authentication.kubernetes.io/pod-uid'], pod)) return 'gone';
  const credential = extra['authentication.kubernetes.io/credential-id'];
  // Since Kubernetes 1.32; where it stands, it is that of this very token, whether or not we use its name up.
  const { jti } = claims;
  return credential === undefined || jti === undefined || names(credential, `JTI=${jti}`) ? 'alive' : 'gone';
}

const isObject = (value: JsonValue | null | undefined): value is JsonObject =>
  value !== null && value !== undefined && isJsonObject(value);

/** Members of `extra` are lists; one of one is what stands for a token. */
const names = (list: JsonValue | undefined, value: JsonValue): boolean =>
  Array.isArray(list) && list.length === 1 && list[0] === value;

function valueAt(value: JsonValue, ...path: readonly string[]): JsonValue | undefined {
  let at: JsonValue | undefined = value;
  for (const name of path) at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  return at;
}
