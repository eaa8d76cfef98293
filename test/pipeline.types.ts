import type { Answerable, Authenticated, Inspected, Received } from '#gateway/core/call.ts';
import type { Allowed } from '#gateway/core/decision.ts';
import { noObligations } from '#gateway/core/obligations.ts';
import { approve } from '#gateway/phases/approve.ts';
import { authenticate } from '#gateway/phases/authenticate.ts';
import { authorize } from '#gateway/phases/authorize.ts';
import { classify } from '#gateway/phases/classify.ts';
import { confirm } from '#gateway/phases/confirm.ts';
import { forward } from '#gateway/phases/forward.ts';
import { inspect } from '#gateway/phases/inspect.ts';
import { reserve } from '#gateway/phases/reserve.ts';
import { route } from '#gateway/phases/route.ts';
import { type SubscribePorts, subscribe } from '#gateway/phases/subscribe.ts';
import { begin, type Pipeline } from '#gateway/pipeline.ts';

/**
 * Invariant 1, held by the compiler: no call reaches an upstream unauthorized. `tsc` runs this file; each expected error
 * that does not occur is an error itself, so that no line here can stop proving anything.
 */

export const whole = begin<Received>()
  .next(authenticate)
  .next(route)
  .next(classify)
  .next(authorize)
  .next(confirm)
  .next(approve)
  .next(reserve)
  .next(forward)
  .next(inspect) satisfies Pipeline<Received, Inspected, never>;

// @ts-expect-error without authenticate nobody can be routed
begin<Received>().next(route);

// @ts-expect-error without route there is nothing to classify
begin<Received>().next(authenticate).next(classify);

// @ts-expect-error without classify the policy would see no facts
begin<Received>().next(authenticate).next(route).next(authorize);

// @ts-expect-error without authorize there is no decision to approve
begin<Received>().next(authenticate).next(route).next(classify).next(approve);

// @ts-expect-error without confirm nobody knows whether the tool is still what was approved
begin<Received>().next(authenticate).next(route).next(classify).next(authorize).next(approve);

// @ts-expect-error without approve there is no permit
begin<Received>().next(authenticate).next(route).next(classify).next(authorize).next(confirm).next(reserve);

const unreserved = begin<Received>()
  .next(authenticate)
  .next(route)
  .next(classify)
  .next(authorize)
  .next(confirm)
  .next(approve);

// @ts-expect-error without reserve nothing may be forwarded
unreserved.next(forward);

// @ts-expect-error forward cannot come first
begin<Received>().next(forward);

// @ts-expect-error authorize and classify cannot be swapped
begin<Received>().next(authenticate).next(route).next(authorize).next(classify);

const uninspected = begin<Received>()
  .next(authenticate)
  .next(route)
  .next(classify)
  .next(authorize)
  .next(confirm)
  .next(approve)
  .next(reserve)
  .next(forward);

// @ts-expect-error without inspect it is no list for a tool call
uninspected satisfies Pipeline<Received, Inspected, never>;

// @ts-expect-error a list that ends before there is an answer answers nobody
begin<Received>().next(authenticate) satisfies Pipeline<Received, Answerable, never>;

// @ts-expect-error a permit cannot be written down: only decide() makes one
export const forged: Allowed = {
  verdict: 'allow',
  codes: [],
  messages: [],
  warned: [],
  shadowed: [],
  obligations: noObligations,
};

// @ts-expect-error what is begun beside a call, for a listener, needs the policy's permit as well
export const unpermitted = (call: Authenticated, ports: SubscribePorts) => subscribe(call, ports);
