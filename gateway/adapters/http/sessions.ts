import type { Session } from '#gateway/core/call.ts';
import { parseStrict } from '#gateway/core/json.ts';
import type { Box } from '#gateway/core/request-state.ts';

/**
 * Sessions of legacy clients live in their id: an AEAD box over what `initialize` said, so that nothing is stored for a
 * session that only exists, and any replica with the key can open it.
 */
export interface Seal {
  /** Null when it would be longer than `open` takes: such a session could never be used. */
  seal(session: Session): string | null;
  /** Null for everything that our keys did not seal, or that is too old. */
  open(id: string, now: number): Session | null;
}

const longest = 4096;
const remembered = 10_000;

/** @param lifetime Milliseconds a session may live. */
export function createSeal(box: Box, lifetime: number): Seal {
  // Opening costs some microseconds of every legacy call, so what was opened lately is kept, bounded.
  const opened = new Map<string, Session>();
  return {
    seal(session) {
      const id = box.seal(JSON.stringify(session));
      return id.length > longest ? null : id;
    },
    open(id, now) {
      const session = opened.get(id) ?? (id.length > longest ? null : unsealed(box, id));
      if (!session || now - session.opened > lifetime) return null;
      if (opened.size >= remembered) opened.clear();
      opened.set(id, session);
      return session;
    },
  };
}

function unsealed(box: Box, id: string): Session | null {
  const text = box.open(id);
  const parsed = text === null ? null : parseStrict(text);
  return parsed && 'value' in parsed ? (parsed.value as unknown as Session) : null;
}
