import { type Helm, render, smallest } from './chart.ts';
import type { Tally } from './tally.ts';

/** Which change of values rolls the pods, and which only changes a ConfigMap under them. */
export async function rolloutChecks(helm: Helm, tally: Tally): Promise<void> {
  const template = (...sets: string[]) => {
    const words = sets.flatMap((set) => ['--set-json', set]);
    return JSON.stringify(render(helm, [smallest], ...words).deployment.spec.template);
  };
  const policies = (text: string) => `policies.files={"main.rego":${JSON.stringify(text)}}`;
  const server = (url: string) => `servers.definitions.tickets={"tier":"internal","url":"${url}"}`;

  const rolls: Readonly<Record<string, string>> = {
    'the URL': 'url="https://other.example.com"',
    'a signer': 'signers=[{"issuer":"https://other.example.com","jwks":{"keys":[{"kty":"OKP"}]}}]',
    'the rest of gateway.yaml': 'config={"limits":{"inflight":10}}',
    'an allowed host': 'listen.hosts=["other.example.com"]',
  };
  for (const [what, set] of Object.entries(rolls)) {
    await tally.check(`a change of ${what} rolls the pods`, () => {
      if (template(set) === template()) throw new Error('the pod template stayed the same');
    });
  }
  await tally.check('a change of a policy or of a server leaves the pods alone', () => {
    if (template(policies('package a')) !== template(policies('package b'))) throw new Error('a policy rolls the pods');
    if (template(server('https://a.example.com')) !== template(server('https://b.example.com')))
      throw new Error('a server rolls the pods');
  });
}
