import { setTimeout as sleep } from 'node:timers/promises';
import { framesOf, type Message } from './messages.ts';

/** Reads an open event stream in the background. */
export interface SseReader {
  readonly messages: readonly Message[];
  /** The first message of this method, as soon as it is there. */
  next(method: string): Promise<Message>;
  /** Resolves when the other side ended the stream. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export function readSse(response: Response): SseReader {
  const messages: Message[] = [];
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  const ended = (async () => {
    for (;;) {
      const part = await reader?.read().catch(() => undefined);
      if (!part || part.done) return;
      rest += decoder.decode(part.value, { stream: true });
      const cut = rest.lastIndexOf('\n\n');
      if (cut < 0) continue;
      messages.push(...framesOf(rest.slice(0, cut)));
      rest = rest.slice(cut + 2);
    }
  })();
  return {
    messages,
    ended,
    async next(method) {
      for (let waited = 0; waited < 10_000; waited += 20) {
        const found = messages.find((message) => message.method === method);
        if (found) return found;
        await sleep(20);
      }
      throw new Error(`no ${method} came; there were ${messages.map((message) => message.method).join(', ')}`);
    },
    async stop() {
      await reader?.cancel().catch(() => undefined);
    },
  };
}
