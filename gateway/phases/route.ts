import { type Authenticated, learn, type Routed } from '#gateway/core/call.ts';
import { findResource, findTemplate, isSeveral, type Several } from '#gateway/core/find-resource.ts';
import { isJsonObject } from '#gateway/core/json.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Box } from '#gateway/core/request-state.ts';
import type { Target } from '#gateway/core/snapshot.ts';
import { declaresTasks, offersTasks, openTask, tasksExtension } from '#gateway/core/tasks.ts';
import { listed, seenAs } from './permitted.ts';

type Ports = Parameters<typeof listed>[2];

/** Which server and tool, as approved in its manifest. */
export const route = (call: Authenticated): Routed | Refusal => aim(call, toolTarget(call));

/** Which server's prompt. */
export const routePrompt = (call: Authenticated): Routed | Refusal =>
  aim(call, named(call.view.prompts, call.params.name));

/** Which server has this resource: the one that lists it, or whose template it fits. */
export function routeResource(call: Authenticated, ports: Ports): Routed | Refusal {
  const { uri } = call.params;
  return typeof uri === 'string' ? settle(call, findResource(call, uri), ports) : refuse('tool_unknown');
}

/** Whose prompt or template the completion is for. */
export function routeCompletion(call: Authenticated, ports: Ports): Routed | Refusal {
  const { ref } = call.params;
  if (!isJsonObject(ref)) return refuse('arguments_invalid', '"ref" must be an object.');
  if (ref.type === 'ref/prompt') return aim(call, named(call.view.prompts, ref.name));
  if (ref.type === 'ref/resource' && typeof ref.uri === 'string') {
    return settle(call, findTemplate(call, ref.uri), ports);
  }
  return refuse('arguments_invalid', '"ref.type" must be ref/prompt or ref/resource.');
}

/** Which tool began this task, as its caller may use it now. */
export function routeTask(call: Authenticated, { box }: { readonly box: Box }): Routed | Refusal {
  const { view, identity, client, params } = call;
  const task = openTask(box, identity.principal.id, params.taskId);
  if (task === null && !offersTasks(view)) return refuse('method_unknown');
  if (!declaresTasks(client.capabilities)) return refuse('capability_missing', '', { requiredCapabilities: needed });
  if (task === null) return refuse('task_unknown');
  const target = view.tools.values().find(({ server, name }) => server.id === task.server && name === task.tool);
  return target ? learn(call, { target, task }) : refuse('task_unknown');
}

const needed = { extensions: { [tasksExtension]: {} } };

function aim(call: Authenticated, target: Target | undefined): Routed | Refusal {
  if (!target) return refuse('tool_unknown');
  // Whether something is closed is told only to who could have called it: authorize comes to that later.
  return learn(call, { target, task: null });
}

const toolTarget = (call: Authenticated): Target | undefined => named(call.view.tools, call.params.name);

const named = (targets: ReadonlyMap<string, Target>, name: unknown): Target | undefined =>
  typeof name === 'string' ? targets.get(name) : undefined;

/** Whoever asks for what several servers have is told how to say whose it means, of those that it may know. */
function settle(call: Authenticated, found: Target | Several | null, ports: Ports): Routed | Refusal {
  if (found === null || !isSeveral(found)) return aim(call, (found && seenAs(call, found, ports)) ?? undefined);
  const seen = found.several.filter((target) => target.closed === null && listed(call, target, ports));
  const uris = seen.slice(0, mostNamed).map(({ exposed }) => exposed);
  return uris.length === 0
    ? refuse('tool_unknown')
    : refuse('resource_ambiguous', `Ask for ${uris.join(' or ')}.`, { uris });
}

const mostNamed = 8;
