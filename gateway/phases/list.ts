import { type Authenticated, type Listed, learn } from '#gateway/core/call.ts';
import { resultOf } from '#gateway/core/exchange.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import { withinCeiling } from '#gateway/core/principal.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Target } from '#gateway/core/snapshot.ts';
import { type ListPorts, mayList } from './permitted.ts';

/** What of the view this caller may call: the call's own policy decides, so that a list never promises too much. */
export const listTools = (call: Authenticated, ports: ListPorts): Listed | Refusal =>
  answer(call, 'tools', call.view.tools.values(), ports);

export const listPrompts = (call: Authenticated, ports: ListPorts): Listed | Refusal =>
  answer(call, 'prompts', call.view.prompts.values(), ports);

export const listResources = (call: Authenticated, ports: ListPorts): Listed | Refusal =>
  answer(call, 'resources', call.view.resources.values(), ports);

export const listTemplates = (call: Authenticated, ports: ListPorts): Listed | Refusal =>
  answer(call, 'resourceTemplates', call.view.templates, ports);

/** All in one page: it is answered from the snapshot, so no server that is slow or down can delay or shorten it. */
function answer(call: Authenticated, member: string, targets: Iterable<Target>, ports: ListPorts): Listed | Refusal {
  if (call.params.cursor !== undefined) return refuse('arguments_invalid', 'There is one page: send no "cursor".');
  const { identity, view } = call;
  const { judge, lists } = call.snapshot;
  const lasting = judge.lasting && !call.dryRun;
  const known = lasting ? lists.find(identity, view, member) : null;
  if (known) return learn(call, { answer: known });
  const once = { ...ports, taints: atOnce(ports.taints) };
  const items: JsonObject[] = [];
  // What could not be decided is left out now, and not for good.
  let sure = lasting;
  for (const target of targets) {
    const may = target.closed === null && mayList(call, target, once);
    if (may) items.push(target.listed);
    if (may === null) sure = false;
  }
  const list = { [member]: items, ...notice(call) };
  return learn(call, { answer: sure ? lists.keep(identity, view, member, list) : resultOf(list) });
}

/** What the run has read is looked up once for a whole list, which may have thousands of tools. */
function atOnce(taints: ListPorts['taints']): ListPorts['taints'] {
  let known: ReturnType<typeof taints.of> | null = null;
  return {
    of(run) {
      known ??= taints.of(run);
      return known;
    },
  };
}

/** Says that a list may be short, and by how many servers; not which, since a policy may hide all that they serve. */
function notice({ view, identity }: Authenticated): JsonObject {
  const mine = view.servers.filter(({ tier, id }) => withinCeiling(identity.ceiling, tier, id, null));
  const servers = mine.filter(({ known, closed }) => !known && closed === null).length;
  if (servers === 0) return {};
  const message = `${servers} of the servers behind this gateway could not be asked yet: this list may lack what they serve.`;
  return { _meta: { 'dev.sekisho/incomplete': { servers, message } } };
}
