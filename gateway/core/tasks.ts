import type { Reserved } from './call.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import type { Box } from './request-state.ts';
import type { View } from './snapshot.ts';

/** The tasks extension (SEP-2663, ext-tasks 2026-07-28): a call that goes on after it was answered, and is looked at again. */
export const tasksExtension = 'io.modelcontextprotocol/tasks';

/** Do these capabilities, of a client or of a server, name the extension? */
export const declaresTasks = ({ extensions }: JsonObject): boolean =>
  isJsonObject(extensions) && isJsonObject(extensions[tasksExtension]);

/** Does a server of this view begin tasks? */
export const offersTasks = ({ servers }: View): boolean =>
  servers.some(({ capabilities }) => declaresTasks(capabilities));

/** The same capabilities without it: what an older server calls so is something else (protocol.md C3). */
export function withoutTasks(capabilities: JsonObject): JsonObject {
  if (!declaresTasks(capabilities)) return capabilities;
  const { [tasksExtension]: _, ...extensions } = capabilities.extensions as JsonObject;
  return { ...capabilities, extensions };
}

/** What the approval of the call that began a task was given for. */
export interface Agreed {
  readonly id: string;
  readonly by: string;
  readonly codes: readonly string[];
}

/** A task as the gateway knows it: whose, where, and begun by which tool. */
export interface Task {
  readonly server: string;
  readonly tool: string;
  /** The server's own id. */
  readonly id: string;
  readonly agreed: Agreed | null;
}

/**
 * The id that a caller gets: the server's, in our seal. The servers know the gateway by one credential, so with their own ids
 * one caller could look at another's tasks (protocol.md D13); and nobody may hold an id against a server that did not give it.
 */
export function sealTask(box: Box, { identity, target, approval, decision }: Reserved, id: string): string {
  const agreed: Agreed | null = approval && { id: approval.id, by: approval.by, codes: decision.codes };
  const task: Task = { server: target.server.id, tool: target.name, id, agreed };
  return box.seal(JSON.stringify({ principal: identity.principal.id, task }));
}

/** Null for what is none of ours, or somebody else's: the two must not be told apart. */
export function openTask(box: Box, principal: string, given: unknown): Task | null {
  const text = typeof given === 'string' ? box.open(given) : null;
  // What opens was written by us.
  const sealed: unknown = text === null ? null : JSON.parse(text);
  // The same box seals the states of servers, which have no such member.
  if (!isJsonObject(sealed) || sealed.principal !== principal || !isJsonObject(sealed.task)) return null;
  return sealed.task as unknown as Task;
}

const statuses: ReadonlySet<unknown> = new Set(['working', 'input_required', 'completed', 'failed', 'cancelled']);

/** Characters: it has to fit into a header, sealed. */
const longestId = 1024;

const isText = (value: JsonValue | undefined): boolean => typeof value === 'string';
const isMs = (value: JsonValue | undefined): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

const members: Readonly<Record<string, (value: JsonValue | undefined) => boolean>> = {
  taskId: (value) => typeof value === 'string' && value !== '' && value.length <= longestId,
  status: (value) => statuses.has(value),
  statusMessage: (value) => value === undefined || isText(value),
  createdAt: isText,
  lastUpdatedAt: isText,
  ttlMs: (value) => value === null || isMs(value),
  pollIntervalMs: (value) => value === undefined || isMs(value),
  _meta: (value) => value === undefined || isJsonObject(value),
};

/** What a server says of a task, and nothing else that stands there; null when it is none. */
export function readTask(said: JsonObject): JsonObject | null {
  const task: JsonObject = {};
  for (const [name, fits] of Object.entries(members)) {
    const value = said[name];
    if (!fits(value)) return null;
    if (value !== undefined) task[name] = value;
  }
  return task;
}
