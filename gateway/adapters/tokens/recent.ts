/** A bounded map that forgets what was not looked up for the longest time. */
export interface Recent<T> {
  find(key: string): T | undefined;
  put(key: string, value: T): void;
  drop(key: string): void;
}

export function createRecent<T>(atMost: number): Recent<T> {
  // A Map keeps the order of insertion: the first is the one that was used least recently.
  const entries = new Map<string, T>();
  // Taking out and putting back leaves a dead table behind every few times: whoever is newest already stays where it is.
  let newest: string | null = null;
  return {
    find(key) {
      const value = entries.get(key);
      if (value === undefined || key === newest) return value;
      entries.delete(key);
      entries.set(key, value);
      newest = key;
      return value;
    },
    put(key, value) {
      entries.delete(key);
      entries.set(key, value);
      newest = key;
      if (entries.size <= atMost) return;
      for (const oldest of entries.keys()) {
        entries.delete(oldest);
        return;
      }
    },
    drop: (key) => void entries.delete(key),
  };
}
