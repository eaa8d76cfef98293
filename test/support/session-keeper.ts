import { answerInitialize, answerJson, type Scene } from './hostile-upstream.ts';

/** Hands out a new session at every `initialize`, and answers calls only in those that are not `over`. */
export function aSessionKeeper(capabilities = {}) {
  const over = new Set<string>();
  let made = 0;
  const initialize: Scene = ({ response, message }) => answerInitialize(response, message, `s-${++made}`, capabilities);
  const within =
    (scene: Scene, status = 404): Scene =>
    (hostile) => {
      const session = String(hostile.request.headers['mcp-session-id']);
      if (over.has(session)) hostile.response.writeHead(status).end();
      else scene(hostile);
    };
  const session: Scene = ({ response, message, request }) =>
    answerJson(response, { jsonrpc: '2.0', id: message.id, result: { session: request.headers['mcp-session-id'] } });
  return { over, initialize, within, session, made: () => made };
}
