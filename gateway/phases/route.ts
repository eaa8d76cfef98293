import { type Authenticated, learn, type Routed } from '#gateway/core/call.ts';
import { isJsonObject } from '#gateway/core/json.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Target, View } from '#gateway/core/snapshot.ts';
import { fitsTemplate } from '#gateway/core/uri-template.ts';

/** Which server and tool, as approved in its manifest. */
export const route = (call: Authenticated): Routed | Refusal => aim(call, toolTarget(call));

/** Which server's prompt. */
export const routePrompt = (call: Authenticated): Routed | Refusal =>
  aim(call, named(call.view.prompts, call.params.name));

/** Which server has this resource: the one that lists it, or the first whose template it fits. */
export const routeResource = (call: Authenticated): Routed | Refusal =>
  aim(call, resourceTarget(call.view, call.params.uri));

/** Whose prompt or template the completion is for. */
export function routeCompletion(call: Authenticated): Routed | Refusal {
  const { ref } = call.params;
  if (!isJsonObject(ref)) return refuse('arguments_invalid', '"ref" must be an object.');
  if (ref.type === 'ref/prompt') return aim(call, named(call.view.prompts, ref.name));
  if (ref.type === 'ref/resource') return aim(call, templateTarget(call.view, ref.uri));
  return refuse('arguments_invalid', '"ref.type" must be ref/prompt or ref/resource.');
}

function aim(call: Authenticated, target: Target | undefined): Routed | Refusal {
  if (!target) return refuse('tool_unknown');
  // Whether something is closed is told only to who could have called it: authorize comes to that later.
  return learn(call, { target });
}

const toolTarget = (call: Authenticated): Target | undefined => named(call.view.tools, call.params.name);

const named = (targets: ReadonlyMap<string, Target>, name: unknown): Target | undefined =>
  typeof name === 'string' ? targets.get(name) : undefined;

/** Whose resource this is: of who lists it, or of the first whose template it fits. */
export function resourceTarget(view: View, uri: unknown): Target | undefined {
  if (typeof uri !== 'string') return undefined;
  const listed = view.resources.get(uri);
  if (listed) return listed;
  const template = view.templates.find((candidate) => fitsTemplate(candidate.name, uri));
  return template ? { ...template, kind: 'resource', name: uri, exposed: uri } : undefined;
}

const templateTarget = (view: View, uri: unknown): Target | undefined =>
  typeof uri === 'string'
    ? (view.templates.find((candidate) => candidate.name === uri) ?? resourceTarget(view, uri))
    : undefined;
