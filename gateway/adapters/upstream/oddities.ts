import type { Log } from './log.ts';

/** What a server says and should not, or says and nobody waits for. None of it is shown: it could hold anything. */
const kinds = {
  notJson: ['warn', 'a server prints lines that are not JSON where only messages belong; they are ignored'],
  notMessage: ['warn', 'a server sends JSON that is not a message; it is ignored'],
  unknownAnswer: ['warn', 'a server answers an id that it was never asked; that is ignored'],
  secondAnswer: ['warn', 'a server answers one request twice; only the first answer counts'],
  lateAnswer: ['debug', 'a server answers a call that was given up; that is ignored'],
  unknownProgress: ['debug', 'a server reports progress that no call under way asked for; it is dropped'],
  logMessage: ['debug', 'a server shared by all callers sends log messages, which belong to none of them; dropped'],
  unknownNotification: ['debug', 'a server sends notifications that are not known here; they are dropped'],
  ping: ['debug', 'a server asks whether the gateway is there; it was told so'],
  question: ['debug', 'a server asks what a server shared by all callers cannot ask; it was told so'],
  deaf: ['warn', 'a server does not read what it is sent; a message for it was dropped'],
} as const satisfies Record<string, readonly ['warn' | 'debug', string]>;

export type Oddity = keyof typeof kinds;

export interface Oddities {
  count(kind: Oddity): void;
  /** How many there were of each. */
  counted(): Readonly<Partial<Record<Oddity, number>>>;
}

/** Counts each and logs the first of each kind: a server that misbehaves a million times fills no log. */
export function createOddities(server: string, log: Log): Oddities {
  const counts: Partial<Record<Oddity, number>> = {};
  return {
    count(kind) {
      const before = counts[kind] ?? 0;
      counts[kind] = before + 1;
      const [level, sentence] = kinds[kind];
      if (before === 0) log[level]({ server, oddity: kind }, sentence);
    },
    counted: () => ({ ...counts }),
  };
}
