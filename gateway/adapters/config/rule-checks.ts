import { isLoopback } from '#gateway/core/address.ts';
import type { Config } from '#gateway/core/config.ts';
import { ruleTrouble } from '#gateway/core/known-issuers.ts';
import type { Complaint } from './issue.ts';

/** What one trust rule alone cannot show, and what is known of its issuer. */
export function rulesOf({ identity: { runs, people }, url }: Config): readonly Complaint[] {
  if (runs.length + people.length === 0) return [];
  const found: Complaint[] = [];
  const { origin, protocol, hostname } = new URL(url);
  if (url.replace(/\/$/, '') !== origin) {
    found.push({ path: ['url'], message: 'must have no path: OAuth metadata is found at its root' });
  }
  if (protocol !== 'https:' && !isLoopback(hostname)) {
    found.push({ path: ['url'], message: 'must be https: tokens come to it that are worth a run' });
  }
  for (const [index, { issuer, id }] of people.entries()) {
    const path = ['identity', 'people', index];
    const others = people.slice(0, index);
    if (others.some((other) => other.id === id)) {
      found.push({ path: [...path, 'id'], message: `"${id}" is the name of another issuer already` });
    }
    if (others.some((other) => other.issuer === issuer)) {
      found.push({
        path: [...path, 'issuer'],
        message: 'stands in the list twice: one issuer has one way to be verified',
      });
    }
  }
  for (const [index, rule] of runs.entries()) {
    const path = ['identity', 'runs', index];
    const trouble = ruleTrouble(rule.issuer, rule.match);
    if (trouble) found.push({ path: [...path, 'match'], message: trouble });
    const twin = runs.slice(0, index).find(({ id }) => id === rule.id);
    if (twin) found.push({ path: [...path, 'id'], message: `"${rule.id}" is the name of another rule already` });
    const sibling = runs.slice(0, index).find(({ issuer }) => issuer === rule.issuer);
    if (sibling && profile(sibling) !== profile(rule)) {
      const message = `must verify tokens as rule "${sibling.id}" of the same issuer does: audience, keys and verify`;
      found.push({ path: [...path, 'issuer'], message });
    }
  }
  return found;
}

/** One issuer has one way to be verified, or a token could choose the easier one. */
const profile = ({ audience, keys, verify }: Config['identity']['runs'][number]): string =>
  JSON.stringify([audience, keys.file, keys.url, keys.ca, verify.algs, verify.max_age, verify.skew, verify.single_use]);
