import type { Answerable, Inspected, Received, Reserved } from '#gateway/core/call.ts';
import type { Method } from '#gateway/core/methods.ts';
import { approve } from '#gateway/phases/approve.ts';
import { authenticate } from '#gateway/phases/authenticate.ts';
import { authorize } from '#gateway/phases/authorize.ts';
import { classify } from '#gateway/phases/classify.ts';
import { forward } from '#gateway/phases/forward.ts';
import { discover, initialize, ping, setLevel } from '#gateway/phases/greet.ts';
import { inspect } from '#gateway/phases/inspect.ts';
import { listPrompts, listResources, listTemplates, listTools } from '#gateway/phases/list.ts';
import { reserve } from '#gateway/phases/reserve.ts';
import { route, routeCompletion, routePrompt, routeResource } from '#gateway/phases/route.ts';
import { begin, type Pipeline } from '#gateway/pipeline.ts';
import type { PhasePorts } from '#gateway/ports.ts';

/** What happens to a message, by its MCP method. This file is the program; an unlisted method is refused. */

export const toolCall = begin<Received>()
  .next(authenticate) // who calls, in which run
  .next(route) // which server and tool, as approved in its manifest
  .next(classify) // what it would touch
  .next(authorize) // may it: the policy decides, with obligations
  .next(approve) // must a person agree first
  .next(reserve) // has the run budget left
  .next(forward) // ask the upstream; the answer may be a stream
  .next(inspect) satisfies Pipeline<Received, Inspected, PhasePorts>; // may this answer go back: message by message

/** The decision API: the same list with `forward` left off. Run with `dryRun`, it writes and sends nothing. */
export const toolDecision = begin<Received>()
  .next(authenticate)
  .next(route)
  .next(classify)
  .next(authorize)
  .next(approve)
  .next(reserve) satisfies Pipeline<Received, Reserved, PhasePorts>;

const promptGet = begin<Received>()
  .next(authenticate)
  .next(routePrompt)
  .next(classify)
  .next(authorize)
  .next(approve)
  .next(reserve)
  .next(forward)
  .next(inspect);

const resourceRead = begin<Received>()
  .next(authenticate)
  .next(routeResource)
  .next(classify)
  .next(authorize)
  .next(approve)
  .next(reserve)
  .next(forward)
  .next(inspect);

const completion = begin<Received>()
  .next(authenticate)
  .next(routeCompletion)
  .next(classify)
  .next(authorize)
  .next(approve)
  .next(reserve)
  .next(forward)
  .next(inspect);

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
  'prompts/get': promptGet,
  'resources/list': whoAsks.next(listResources),
  'resources/templates/list': whoAsks.next(listTemplates),
  'resources/read': resourceRead,
  'resources/subscribe': resourceRead,
  'resources/unsubscribe': resourceRead,
  'completion/complete': completion,
};
