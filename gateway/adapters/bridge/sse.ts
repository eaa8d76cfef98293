/** One event of a text/event-stream. */
export interface SseEvent {
  readonly data: string;
  readonly id: string | null;
  /** How long to wait before connecting again, where the server says so. */
  readonly retry: number | null;
}

const longestEvent = 64 * 1024 * 1024;

/**
 * The events of a stream, in the format of the HTML standard. An event without data says something only by its id or its
 * retry; it comes with empty data.
 *
 * @throws Error when an event is larger than anything a gateway sends.
 */
export async function* sseEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<SseEvent> {
  const decoder = new TextDecoder();
  const event = createEvent();
  let open: string[] = [];
  let openSize = 0;
  let afterReturn = false;
  for await (const chunk of chunks) {
    let text = decoder.decode(chunk, { stream: true });
    if (text === '') continue;
    // The line feed belongs to the carriage return that ended the chunk before.
    if (afterReturn && text.startsWith('\n')) text = text.slice(1);
    afterReturn = text.endsWith('\r');
    const lines = text.split(/\r\n|\n|\r/);
    const last = lines.pop() ?? '';
    for (const part of lines) {
      const line = open.length > 0 ? open.join('') + part : part;
      open = [];
      openSize = 0;
      if (line !== '') event.add(line);
      else if (event.begun()) yield event.take();
    }
    if (last !== '') open.push(last);
    openSize += last.length;
    if (openSize + event.size() > longestEvent) throw new Error('an event is too large');
  }
}

function createEvent() {
  let data: string[] = [];
  let size = 0;
  let id: string | null = null;
  let retry: number | null = null;
  return {
    begun: () => data.length > 0 || id !== null || retry !== null,
    size: () => size,
    add(line: string): void {
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
      if (field === 'data') {
        data.push(value);
        size += value.length;
      }
      if (field === 'id' && !value.includes('\0')) id = value;
      if (field === 'retry' && /^\d{1,9}$/.test(value)) retry = Number(value);
    },
    take(): SseEvent {
      const taken = { data: data.join('\n'), id, retry };
      data = [];
      size = 0;
      id = null;
      retry = null;
      return taken;
    },
  };
}
