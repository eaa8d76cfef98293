import { randomUUID } from 'node:crypto';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { answerJson, type Hostile, type HostileUpstream, result, startHostileUpstream } from './hostile-upstream.ts';

export const tasksExtension = 'io.modelcontextprotocol/tasks';
const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities';

export interface TaskServer extends HostileUpstream {
  /** By its own id, what it says of each task it began. */
  readonly tasks: Map<string, JsonObject>;
  /** The params of the last request of this method. */
  last(method: string): JsonObject;
}

/** A server of 2026-07-28 that begins a task in each tool call whose caller declared the extension, and answers others at once. */
export async function startTaskServer(
  tools: readonly JsonObject[],
  extensions: JsonObject = { [tasksExtension]: {} },
): Promise<TaskServer> {
  const tasks = new Map<string, JsonObject>();
  const about = ({ message, request, response }: Hostile, answer: (task: JsonObject) => JsonObject): void => {
    const { taskId } = message.params as JsonObject;
    const task = tasks.get(String(taskId));
    const agrees = request.headers['mcp-name'] === taskId;
    const error = { code: agrees ? -32_602 : -32_020, message: 'unknown task' };
    answerJson(response, {
      jsonrpc: '2.0',
      id: message.id,
      ...(task && agrees ? { result: answer(task) } : { error }),
    });
  };
  const server = await startHostileUpstream({
    'server/discover': result({
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {}, extensions },
    }),
    'tools/list': result({ resultType: 'complete', tools }),
    'tools/call': (hostile) => {
      const meta = (hostile.message.params as JsonObject)._meta as JsonObject;
      const declared = (meta[capabilitiesKey] as JsonObject).extensions;
      if (!isJsonObject(declared) || !declared[tasksExtension])
        return result({ resultType: 'complete', content: [{ type: 'text', text: 'at once' }] })(hostile);
      const now = new Date().toISOString();
      const task = { taskId: randomUUID(), status: 'working', createdAt: now, lastUpdatedAt: now, ttlMs: 60_000 };
      tasks.set(task.taskId, task);
      return result({ resultType: 'task', pollIntervalMs: 100, ...task })(hostile);
    },
    'tasks/get': (hostile) => about(hostile, (task) => ({ resultType: 'complete', ...task })),
    'tasks/update': (hostile) => about(hostile, () => ({ resultType: 'complete', secret: 'of the server' })),
    'tasks/cancel': (hostile) =>
      about(hostile, (task) => {
        task.status = 'cancelled';
        return { resultType: 'complete' };
      }),
  });
  const last = (method: string): JsonObject =>
    (server.heard.findLast(({ message }) => message.method === method)?.message.params ?? {}) as JsonObject;
  return { ...server, tasks, last };
}
