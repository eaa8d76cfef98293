import type { Answerable, Authenticated, Inspected, Received, Reserved, Routed } from '#gateway/core/call.ts';
import type { Method } from '#gateway/core/methods.ts';
import { approve } from '#gateway/phases/approve.ts';
import { authenticate } from '#gateway/phases/authenticate.ts';
import { authorize } from '#gateway/phases/authorize.ts';
import { classify } from '#gateway/phases/classify.ts';
import { confirm } from '#gateway/phases/confirm.ts';
import { forward } from '#gateway/phases/forward.ts';
import { discover, initialize, ping, setLevel } from '#gateway/phases/greet.ts';
import { inspect } from '#gateway/phases/inspect.ts';
import { join } from '#gateway/phases/join.ts';
import { listPrompts, listResources, listTemplates, listTools } from '#gateway/phases/list.ts';
import { listen } from '#gateway/phases/listen.ts';
import { reserve } from '#gateway/phases/reserve.ts';
import { route, routeCompletion, routePrompt, routeResource, routeTask } from '#gateway/phases/route.ts';
import { withdraw } from '#gateway/phases/withdraw.ts';
import { begin, type Phase, type Pipeline } from '#gateway/pipeline.ts';
import type { PhasePorts } from '#gateway/ports.ts';

/** What happens to a message, by its MCP method. This file is the program; an unlisted method is refused. */

/** May it: everything before the upstream hears of it. What differs between methods is how the thing asked for is found. */
const decision = <Ports>(find: Phase<Authenticated, Routed, Ports>) =>
  begin<Received>()
    .next(authenticate) // who calls, in which run
    .next(find) // which server and tool, as approved in its manifest
    .next(classify) // what it would touch
    .next(authorize) // may it: the policy decides, with obligations
    .next(confirm) // is the tool still what was approved
    .next(approve) // must a person agree first
    .next(reserve); // has the run budget left

const exchange = <Ports>(find: Phase<Authenticated, Routed, Ports>) =>
  decision(find)
    .next(forward) // ask the upstream; the answer may be a stream
    .next(inspect); // may this answer go back: message by message

/** The decision API: a tool call with `forward` left off. Run with `dryRun`, it writes and sends nothing. */
export const toolDecision = decision(route) satisfies Pipeline<Received, Reserved, PhasePorts>;

export const toolCall = exchange(route) satisfies Pipeline<Received, Inspected, PhasePorts>;

const task = exchange(routeTask);

/** Who asks, when the question is not a call: streams, replies, cancellations, sessions. */
export const whoAsks = begin<Received>().next(authenticate);

export const pipelines: Readonly<Record<Method, Pipeline<Received, Answerable, PhasePorts>>> = {
  initialize: whoAsks.next(initialize),
  'server/discover': whoAsks.next(discover),
  ping: whoAsks.next(ping),
  'logging/setLevel': whoAsks.next(setLevel),
  'tools/list': whoAsks.next(listTools),
  'tools/call': toolCall,
  'prompts/list': whoAsks.next(listPrompts),
  'prompts/get': exchange(routePrompt),
  'resources/list': whoAsks.next(listResources),
  'resources/templates/list': whoAsks.next(listTemplates),
  'resources/read': exchange(routeResource),
  'resources/subscribe': decision(routeResource).next(join).next(inspect),
  'resources/unsubscribe': whoAsks.next(withdraw),
  'completion/complete': exchange(routeCompletion),
  'tasks/get': task,
  'tasks/update': task,
  'tasks/cancel': task,
  'subscriptions/listen': whoAsks.next(listen),
};
