import type { RunRule } from './config-identity.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { pointerName } from './json-pointer.ts';
import { knownIssuer } from './known-issuers.ts';

/** What an issuer said of a run, verified. */
export interface Subject {
  readonly issuer: string;
  /** Null where the profile does not ask for one. */
  readonly jti: string | null;
  /** Epoch milliseconds. */
  readonly issued: number;
  readonly expires: number;
  /** Before this it is not good yet. */
  readonly from: number;
  /** The name of the key that its signature was made with. */
  readonly key: string;
  readonly claims: JsonObject;
}

/** Why a rule does not fit: the claim that was in the way. Never a value: those are other people's. */
export interface Misfit {
  readonly rule: string;
  readonly claim: string;
}

/** The one rule that fits. None is a no, and so are two: nobody should have to know in which order rules stand. */
export function findRule(
  rules: readonly RunRule[],
  subject: Subject,
): RunRule | { readonly misfits: readonly Misfit[] } {
  const misfits: Misfit[] = [];
  const fitting: RunRule[] = [];
  for (const rule of rules) {
    const claim = misfit(rule, subject);
    if (claim === null) fitting.push(rule);
    else misfits.push({ rule: rule.id, claim });
  }
  const [only, ...others] = fitting;
  if (only && others.length === 0) return only;
  return { misfits: [...misfits, ...fitting.map(({ id }) => ({ rule: id, claim: 'several rules fit' }))] };
}

function misfit({ issuer, match, deny }: RunRule, subject: Subject): string | null {
  if (issuer !== subject.issuer) return 'iss';
  for (const [claim, wanted] of Object.entries(match)) if (textAt(subject.claims, claim) !== wanted) return claim;
  for (const table of [deny, knownIssuer(issuer).deny]) {
    for (const [claim, unwanted] of Object.entries(table)) {
      const value = valueAt(subject.claims, claim);
      // A claim that is there in another form than a text could mean anything.
      if (value !== undefined && (text(value) === null || unwanted.includes(text(value) ?? ''))) return claim;
    }
  }
  return null;
}

/** Who the run is, as its rule names it out of the claims. */
export interface NamedRun {
  readonly id: string;
  readonly repo: string | null;
  readonly ref: string | null;
  readonly agent: string | null;
  readonly user: string | null;
}

/** @param random A new UUID, for `${random}`. @returns the run, or the template that could not be filled in. */
export function nameRun(rule: RunRule, subject: Subject, random: string): NamedRun | { readonly unfilled: string } {
  const { id, repo, ref, agent, user } = rule.run;
  const filled: Record<string, string | null> = {};
  for (const [name, template] of Object.entries({ id, repo, ref, agent, user })) {
    const value = template === undefined ? null : fill(template, subject.claims, random);
    if (value === undefined) return { unfilled: name };
    filled[name] = value;
  }
  // It becomes the subject of the token, behind "run:".
  if ((filled.id ?? '').length > longestRun) return { unfilled: 'id' };
  // A user whose name begins so would be taken for a run or a service.
  if (/^(run|service):/.test(filled.user ?? '')) return { unfilled: 'user' };
  return filled as unknown as NamedRun;
}

const longestRun = 252;

/** A claim that is put into an id is a plain word: no separators of ours can come in with it, and no look-alikes. */
const plain = /^[A-Za-z0-9._:@/-]{1,256}$/;

function fill(template: string, claims: JsonObject, random: string): string | undefined {
  let whole = true;
  const filled = template.replaceAll(/\$\{([^}]*)\}/g, (_, name: string) => {
    const value = name === 'random' ? random : (textAt(claims, name) ?? '');
    if (!plain.test(value)) whole = false;
    return value;
  });
  return whole && plain.test(filled) ? filled : undefined;
}

/** By name, or by JSON pointer into objects: `/kubernetes.io/namespace`. Own members only. */
function valueAt(claims: JsonObject, name: string): JsonValue | undefined {
  if (!name.startsWith('/')) return Object.hasOwn(claims, name) ? claims[name] : undefined;
  let at: JsonValue | undefined = claims;
  for (const part of name.slice(1).split('/')) {
    const key = pointerName(part);
    at = isJsonObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  }
  return at;
}

/** Texts, and what has one spelling as a text. A list never is one: "one of them fits" is how a second audience gets in. */
function text(value: JsonValue | undefined): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'boolean' || Number.isSafeInteger(value) ? String(value) : null;
}

const textAt = (claims: JsonObject, name: string): string | null => text(valueAt(claims, name));
