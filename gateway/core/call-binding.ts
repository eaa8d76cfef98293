import { argumentsDigest, type CallBinding } from './approval.ts';
import type { Classified } from './call.ts';
import type { Sha256 } from './manifest.ts';

/** What makes it this call and no other, whatever is sent back to a server in the middle of it. */
export const bindingOf = ({ identity, target, args, snapshot }: Classified, sha256: Sha256): CallBinding => ({
  principal: identity.principal.id,
  run: identity.run.id,
  server: target.server.id,
  tool: target.name,
  toolDigest: target.digest,
  argumentsDigest: argumentsDigest(args, sha256),
  policyRevision: snapshot.policy.revision,
});

/** The same with what is sent back, so that what was agreed to without it is no agreement to it. */
export function bindingWithInput(call: Classified, sha256: Sha256): CallBinding {
  const binding = bindingOf(call, sha256);
  return call.responses === null ? binding : { ...binding, inputDigest: argumentsDigest(call.responses, sha256) };
}
