/** News that some wait for, each for a while only. */
export interface Turnout<News> {
  /** The next news, or `otherwise` when none came in time. */
  wait(atMostMs: number, otherwise: News): Promise<News>;
  tell(news: News): void;
}

export function createTurnout<News>(): Turnout<News> {
  const waiting = new Set<(news: News) => void>();
  return {
    wait(atMostMs, otherwise) {
      const { promise, resolve } = Promise.withResolvers<News>();
      const wake = (news: News): void => {
        clearTimeout(timer);
        waiting.delete(wake);
        resolve(news);
      };
      const timer = setTimeout(() => wake(otherwise), atMostMs);
      waiting.add(wake);
      return promise;
    },
    tell(news) {
      for (const wake of waiting) wake(news);
    },
  };
}
