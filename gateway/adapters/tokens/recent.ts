/** A bounded map that forgets what was not looked up for the longest time. */
export interface Recent<T> {
  find(key: string): T | undefined;
  put(key: string, value: T): void;
  drop(key: string): void;
}

export function createRecent<T>(atMost: number): Recent<T> {
  // A Map keeps the order of insertion: the first is the one that was used least recently.
  const entries = new Map<string, T>();
  return {
    find(key) {
      const value = entries.get(key);
      if (value === undefined) return undefined;
      entries.delete(key);
      entries.set(key, value);
      return value;
    },
    put(key, value) {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size <= atMost) return;
      for (const oldest of entries.keys()) {
        entries.delete(oldest);
        return;
      }
    },
    drop: (key) => void entries.delete(key),
  };
}
