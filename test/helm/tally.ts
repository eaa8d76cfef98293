/** Counts named checks. A check passes when its body returns, and fails with the sentence it throws. */
export interface Tally {
  check(title: string, body: () => void | Promise<void>): Promise<void>;
  /** Prints the closing line; the number of failed checks. */
  close(): number;
}

export function createTally(print: (line: string) => void): Tally {
  let passed = 0;
  let failed = 0;
  return {
    async check(title, body) {
      try {
        await body();
        passed += 1;
        print(`  ok    ${title}`);
      } catch (cause) {
        failed += 1;
        const why = cause instanceof Error ? cause.message : String(cause);
        print(`  FAIL  ${title}\n        ${why.trim().replaceAll('\n', '\n        ')}`);
      }
    },
    close() {
      print(`\n${passed} passed, ${failed} failed`);
      return failed;
    },
  };
}
