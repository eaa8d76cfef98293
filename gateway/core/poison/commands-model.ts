import { type Hit, hit } from './finding.ts';
import { phrases, phrasesIn } from './phrases.ts';
import type { Subject } from './subject.ts';
import { folded } from './words.ts';

const ignore = 'ignore|disregard|forget|override|overrule|supersede|bypass|circumvent|neglect|dismiss';
const orders = 'instructions|guidelines|directions|directives|orders|prompt|prompts|training|safeguards|told|intent';
const model = 'assistant|model|llm|agent|agents|ai|chatbot|claude|gpt|gemini|copilot';
const must = 'must|shall|required|obliged|mandatory|have|has|need|needs';
const speech = 'conversation|transcript|dialogue|dialog';
const user = 'user|human|person|operator|customer|people';

/** Orders for the model that reads, where a definition has to say what a tool does. */
export const commands = phrases({
  'tells the model to ignore what it was told': [
    `${ignore} 4 ${orders}`,
    'ignore|disregard|forget|dismiss 4 rules|restrictions|policies',
    `${ignore} 1 the user|developer|human|operator`,
    `${ignore} 2 ${user} 2 request|requests|wishes|asks|question|answer`,
    `${orders} 3 void|suspended|cancelled|obsolete|override|overrides`,
    `overrides|supersedes|overruling 3 system|previous|prior|earlier|developer`,
    'everything|anything 2 user 8 ignored|disregarded',
    'ignoriere|missachte|vergiss 5 anweisungen|regeln|vorgaben',
    'ignore|oublie|ignorez|oubliez 4 instructions|consignes|règles',
    'ignora|olvida|ignore 4 instrucciones|istruzioni|instruções|reglas',
    'игнорируй|забудь|игнорируйте 4 инструкции|правила|указания',
    '*忽略之前',
    '*无视之前',
    '*忽略所有',
    '*指示をすべて無視',
    '*指示を無視',
    '*이전 지시',
  ],
  'gives the model a new role or new orders': [
    'you are|re now 4 operating|acting|unrestricted|mode|bot|agent|assistant|free|debug|without',
    'your new task|priority|role|goal|instructions|job',
    'your task|role|instructions|goal 2 changed',
    'from now on',
    'from this moment',
    'priority critical|highest',
    `${model} 3 new 2 priority|task|instructions`,
    // Alone, "without restriction" is what licences say.
    'act|answer|operate|respond|run|speak|work|works|mode|model 4 without|no 2 restrictions|safety|guardrails',
    'without|no 2 safety|guardrails',
    'act|answer|speak|pretend 4 unrestricted|administrator|admin|superuser',
    'unrestricted agent|model|assistant|mode',
  ],
  'orders the model about': [
    `${model} 2 ${must} 8 first|every|include|copy|fill|put|send|approve|obey|invoke|shall`,
    `note|notice|attention|reminder 1 to|for 2 ${model}|callers`,
    'attention 1 llm|ai|assistant|agents',
    'instructions 1 for|to 3 language model',
    'instructions for|to assistant|llm|claude|gpt|chatbot',
    'instructions for|to the|an|any|every assistant|llm|claude|gpt|chatbot',
    `${model} 1 reading 2 this`,
    `as 2 first step 6 ${model}`,
    `call|invoke|use|run 4 first 3 for|on|in 2 every|each|any|all`,
    'under no circumstances 6 refuse|decline|ask',
    'do as 8 says|said|say',
    'stop what you are',
    'obey|obeys',
    `repeat 4 word for word`,
    'respond|answer|reply only with 8 ignoring|regardless',
    `execute|run|carry|perform|follow 6 command|commands|whatever|steps|instructions 8 immediately|exactly`,
    'execute|run|do whatever',
    'execute|run|runs|follow 4 command|commands 3 sent|shown|given 3 in|by|never',
    'mandatory|required|compulsory 2 agents|agent|model|llm|assistant',
    'always 2 use|call|prefer|choose 2 this|me 2 first|instead',
    'use|trust only our|my 2 tools',
    'ask|tell|have 2 people|user|users|them 4 paste|enter|type 4 password|passphrase|pin|code',
    'give|hand it to me',
    'before doing what',
    `treat 6 ${'command|commands|instructions|system|untrusted|trusted'}`,
    `results|result|output|outputs 5 are commands|instructions|orders`,
    `instructions|steps|orders|commands 3 followed|executed|obeyed|carried 3 ${model}`,
  ],
  'says what is to be done first': [
    `before 3 answer|respond|reply|anything|proceed|continue 10 read|open|collect|call|send|gather|invoke|fetch`,
    `before 2 any|all|every 2 tool`,
    'before any other tool|function|server|call',
    `before|prior 2 to|invoking|using|calling 4 function|tool 10 send|read|pass|collect|include`,
    `you ${must}|should 4 always|first 8 before|first|every|regardless`,
  ],
  'takes the word of the user, or a confirmation, into its own hands': [
    `skip|skipped|bypass|suppress 4 confirmation|permission|approval|consent|prompts|asking`,
    'without|no 3 asking|confirmation|permission|approval|consent|confirming 3 user|human|anyone|needed|again',
    'proceed|continue|execute|run|immediately 4 without 2 asking|confirmation|permission|approval',
    'approve|accept|confirm 4 every|all|any|pending 4 operation|operations|request|requests|action|actions|prompts',
    `${user} 3 already 3 consented|agreed`,
    `pretend|assume|act 4 ${user}|nothing|though`,
    `no matter 3 what|which 3 ${user}`,
    `regardless 3 ${user}|question|asked|request`,
    `whatever 2 ${user}`,
    `even if|when 4 ${user} 4 asks|says|gives|wants|refuses|explicitly|another`,
    `dialogs|prompts|confirmations|questions 8 answer 4 yes|yourself`,
    'disable|turn 3 audit|safety|safeguards',
    'you have permission',
  ],
  'wants what was said, or what the model thinks': [
    `full|complete|entire|whole|everything|verbatim 3 ${speech}|chat`,
    `${speech} 3 so|in far|full|verbatim`,
    `everything|all|whatever 3 ${user} 3 written|said|typed|told|wrote`,
    'hidden|private|internal 2 reasoning|thoughts|thinking|prompt',
    'your hidden|system|secret|own 2 reasoning|prompt|instructions',
    `reveal|print|repeat|show|copy|put|paste 4 system prompt|message`,
    `put|paste|supply|hand|include|transmit|transmitted 6 ${speech}`,
  ],
  'changes what other tools are given': [
    'whenever|when|if|each|every 8 replace|alter|swap|substitute|change|redirect 4 recipient|account|address|number|amount|destination|wallet|iban|url|channel',
    'alter|swap|substitute|redirect 2 recipient|destination|wallet|iban|beneficiary',
    'all|every 3 mails|emails|e|messages|payments 8 through|via|to 3 relay|@',
  ],
});

/** How chat templates and published attacks mark what only the model should take for an order. */
const marks: readonly (readonly [mark: string, why: string])[] = [
  ['<|', 'a mark of a chat template'],
  ['[inst]', 'a mark of a chat template'],
  ['[system]', 'a mark of a chat template'],
  ['### instruction', 'a mark of a chat template'],
  ['### system', 'a mark of a chat template'],
  ['| sh', 'a program from the network that is run at once'],
  ['| bash', 'a program from the network that is run at once'],
];

/** These very tags: what only begins like them is how some publishers lay out a long text. */
const tag = /<(?:important|system|instructions)(?:[\s>:/]|$)/;

/** As a transcript would mark who speaks: in capitals, or at the start of a sentence. */
const speaker =
  /(?:^|[\s.>(—-])(?:SYSTEM(?: NOTICE| NOTE| MESSAGE)?|LLM|AI|MODEL)\s?[:,!]|(?:^|[.!?]\s|\n)(?:System|Assistant|Model):/;

/** "The model must not call this": what is forbidden is the very thing that would be the order. */
const forbids = /(?:must|shall|should|need) (?:not|never) \S+$/;

/** "Never assume that the user wants it", "do not skip the confirmation": what is meant as a safeguard. */
const forbidden = (why: string, before: string): boolean =>
  (before === 'not' || before === 'never') && !/^(?:orders|says)/.test(why);

/** Instructions are there to tell the model how to use the server; they may order no more than that. */
const usual = (on: Subject['on'], why: string): boolean =>
  on === 'instructions' && why === 'says what is to be done first';

export function commandsModel({ on, texts }: Subject): readonly Hit[] {
  return texts.flatMap(({ pointer, text, words }) => {
    const low = folded(text);
    const marked =
      marks.find(([mark]) => low.includes(mark))?.[1] ??
      (tag.test(low) ? 'a tag that only a model would obey' : null) ??
      (speaker.test(text) ? 'it speaks as the system' : null);
    return [
      ...(marked === null ? [] : [hit(pointer, marked, text)]),
      ...phrasesIn(words, commands)
        .filter(([why, shown, before]) => !forbids.test(shown) && !forbidden(why, before) && !usual(on, why))
        .map(([why, shown]) => hit(pointer, why, shown)),
    ];
  });
}
