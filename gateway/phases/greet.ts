import { appsExtension } from '#gateway/core/apps.ts';
import { type Authenticated, type Listed, learn } from '#gateway/core/call.ts';
import { legacyRevisions, metaKeys, resultOf, supportedRevisions } from '#gateway/core/exchange.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import { logLevels } from '#gateway/core/methods.ts';
import { withinTools } from '#gateway/core/principal.ts';
import { product } from '#gateway/core/product.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import { offersTasks, tasksExtension } from '#gateway/core/tasks.ts';

/** What the gateway answers by itself: who it is, what it speaks, that it is there. */

/** The legacy handshake. The version asked for when we speak it, else our newest legacy one (lifecycle §Negotiation). */
export function initialize(call: Authenticated): Listed {
  const asked = String(call.params.protocolVersion ?? '');
  const protocolVersion = (legacyRevisions as readonly string[]).includes(asked) ? asked : legacyRevisions[0];
  const capabilities = {
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { listChanged: true, subscribe: true },
    completions: {},
    logging: {},
    ...extensions(call),
  };
  return learn(call, {
    answer: resultOf({ protocolVersion, capabilities, serverInfo: product, ...instructions(call) }),
  });
}

/** The modern one: nothing is negotiated, the client picks. */
export function discover(call: Authenticated): Listed {
  const capabilities = {
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { listChanged: true, subscribe: true },
    completions: {},
    ...extensions(call, offersTasks(call.view) ? { [tasksExtension]: {} } : {}),
  };
  const result = { supportedVersions: [...supportedRevisions], capabilities, ...instructions(call) };
  return learn(call, { answer: resultOf({ ...result, _meta: { [metaKeys.serverInfo]: product } }) });
}

export const ping = (call: Authenticated): Listed => learn(call, { answer: resultOf({}) });

/** Held by the session: the edge filters the log messages that streams carry. */
export function setLevel(call: Authenticated): Listed | Refusal {
  const known = (logLevels as readonly unknown[]).includes(call.params.level);
  return known ? ping(call) : refuse('arguments_invalid', `"level" must be one of ${logLevels.join(', ')}.`);
}

/** What a server behind the gateway declared is the server's: only what is relayed is declared, where there is something of it. */
function extensions({ view, snapshot, identity }: Authenticated, more: JsonObject = {}): JsonObject {
  const shows = view.servers.some(
    ({ id, tier }) => snapshot.byServer.get(id)?.pages.size && withinTools(identity.ceiling, tier, id),
  );
  const declared = { ...(shows ? { [appsExtension]: {} } : {}), ...more };
  return Object.keys(declared).length > 0 ? { extensions: declared } : {};
}

/** Only approved instructions, and only where they can be told apart: a view of one server. */
function instructions(call: Authenticated): JsonObject {
  const [only, ...more] = call.view.servers;
  return only && more.length === 0 && only.instructions !== null ? { instructions: only.instructions } : {};
}
