import { type Hit, hit } from './finding.ts';
import { phrases, phrasesIn } from './phrases.ts';
import type { Subject } from './subject.ts';

const not = 'not|never|without|avoid|refrain|nor|neither|nothing|omit|no';
const tell =
  'tell|telling|mention|mentioning|reveal|disclose|inform|informing|notify|notifying|alert|warn|talk|talking|discuss|admit';
const person =
  'user|users|human|person|people|operator|customer|customers|anyone|anybody|nobody|them|him|whoever|conversation|chat|log|reply|summary';

const reader = 'user|users|human|person|people|operator|customer|customers|anyone|anybody|nobody';

/** What the people who use the model are not to learn. */
export const secrecy = phrases({
  'asks the model to keep something from people': [
    `${not} 3 ${tell} 5 ${person}`,
    `not|never|without 1 show|report|expose|say|describe|let|bring 4 ${reader}`,
    `not|avoid 2 talking|speak|speaking 1 about`,
    `${not} 3 bring 3 up`,
    `say nothing`,
    `nothing 3 tell|say|mention`,
    'not 4 mention|disclose|reveal 5 purpose|existence|reason|source|step|call|tool|parameter|instruction|value',
    'leave|left|leaving 6 out|unmentioned 5 summary|reply|answer|report',
    'source|step|call 2 unmentioned|unsaid',
    `keep|keeping|kept|hide|hiding|conceal|stay|remain 6 secret|hidden|invisible|unnoticed|concealed|from|quiet|private 5 ${person}|secret`,
    `hide 4 action|step|call|tool 4 from`,
    `keep 3 secret|hidden|quiet`,
    `${person} 4 not|never|unaware 4 see|know|learn|notice|told|aware|informed|find|realise|realize|need`,
    `${person} 4 unaware`,
    `not|never 4 let 3 ${person}`,
    `no need 3 report|mention|tell|say`,
    'behind the scenes',
    'no|without 2 trace 4 chat|conversation|log|history|reply',
    'as though|if nothing 2 happened',
    'do|does|perform|happens|run|simply 4 silently|quietly|secretly|covertly|unnoticed',
    'omit 6 summary|answer|reply|conversation',
    'omit 2 when listing|summarising|reporting',
    'present 8 as your own',
    'pretend 3 be|that|nothing',
    'sage|sag|sagen|verrate|erzähle 4 nichts|nicht',
    'dites|dis|dire|mentionnez 4 pas 3 utilisateur',
    'pas 2 utilisateur',
    'digas|decir|menciones|informes 3 usuario',
    'сообщай|говори|говорите|сообщайте 3 пользователю',
    '*不要告诉用户',
    '*不要告诉',
    '*不要向用户',
    '*言わないで',
    '*知らせないで',
    '*말하지',
  ],
});

export const asksSecrecy = ({ texts }: Subject): readonly Hit[] =>
  texts.flatMap(({ pointer, words }) => phrasesIn(words, secrecy).map(([why, shown]) => hit(pointer, why, shown)));
