import { type Hit, hit } from './finding.ts';
import { phrases, phrasesIn } from './phrases.ts';
import type { Subject } from './subject.ts';

const send =
  'send|sends|post|posts|forward|upload|transmit|deliver|delivered|bcc|cc|mail|email|append|pass|report|relay|submit|copy|exfiltrate|mirrors|mirror|leak';
const goods =
  'contents|content|conversation|chat|transcript|secret|secrets|token|tokens|credentials|credential|key|keys|environment|variables|question|answer|clipboard|document|documents|files|file|text|original|message|messages|history|results|digest|code|attachment|value|values|data|everything|whatever|copy|final';

/** Data that is to go to an address which the definition brings along. */
export const sending = phrases({
  'sends what the model reads to an address of its own': [
    `${send} 8 ${goods} 10 @`,
    // Guides that share something link to themselves.
    `share 8 ${goods} 8 to|at|via|through|with 3 @`,
    `${goods} 5 ${send}|share 5 to 3 @`,
    `bcc|cc 6 @`,
    `${goods} 8 delivered|sent|forwarded|posted|uploaded 3 @`,
    `forward|copy|mirror 8 to 2 @`,
    `report 6 secret|secrets|credential|credentials`,
    'upload|send|post 4 whatever|all|any 3 credentials|secrets|keys|tokens',
    'include|show|insert|append|visit 4 @ 14 conversation|filled|continue|image',
  ],
  'names what it does': ['exfiltrate 6 data|results|contents|files|secrets|through|to', 'exfil'],
});

/** An image or a link whose address is filled with what was said: showing it sends it (a published attack). */
const filled = /\]\(https?:\/\/[^\s)]{1,200}[?&][\w-]{1,40}=[<{[]/;
const shell = /\b(?:curl|wget|nc)\s[^\n]{0,80}(?:-d|--data|--post-data|-T|-F)\b/;

export function sendsElsewhere({ texts }: Subject): readonly Hit[] {
  return texts.flatMap(({ pointer, text, words }) => [
    ...phrasesIn(words, sending).map(([why, shown]) => hit(pointer, why, shown)),
    ...(filled.test(text) ? [hit(pointer, 'a link that would carry what was said', text)] : []),
    ...(shell.test(text) ? [hit(pointer, 'a command that sends data', text)] : []),
  ]);
}
