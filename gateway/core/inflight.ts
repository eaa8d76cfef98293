/** Counts the calls under way at each server: the port `Inflight`, which needs no outside thing. */
export function createInflight() {
  const underWay = new Map<string, number>();
  return {
    enter: (server: string, atMost: number): boolean => {
      const now = underWay.get(server) ?? 0;
      if (now >= atMost) return false;
      underWay.set(server, now + 1);
      return true;
    },
    leave: (server: string): void => {
      const now = underWay.get(server) ?? 0;
      // A server that nobody uses costs nothing, and one `leave` too many never makes room for a call too many.
      if (now <= 1) underWay.delete(server);
      else underWay.set(server, now - 1);
    },
  };
}
