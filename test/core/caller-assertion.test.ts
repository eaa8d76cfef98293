import { expect, test } from 'vitest';
import { callerClaims } from '#gateway/core/caller-assertion.ts';

const about = { issuer: 'https://gw.test', audience: 'https://mcp.test/mcp' };
const always = { iss: 'https://gw.test', aud: 'https://mcp.test/mcp', client_id: 'sekisho' };

test.each([
  [null, { sub: 'sekisho' }],
  [
    { principal: 'run:r1', run: 'r1' },
    { sub: 'run:r1', run: { id: 'r1' } },
  ],
  [
    { principal: 'ada', run: 'r1' },
    { sub: 'ada', run: { id: 'r1' }, act: { sub: 'run:r1' } },
  ],
  // A name that looks like another run is a name.
  [
    { principal: 'run:r2', run: 'r1' },
    { sub: 'run:r2', run: { id: 'r1' }, act: { sub: 'run:r1' } },
  ],
])('of %j the gateway says %j, and no more', (caller, claims) => {
  expect(callerClaims(caller, about)).toEqual({ ...always, ...claims });
});
