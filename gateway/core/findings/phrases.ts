import { phrases } from '#gateway/core/poison/phrases.ts';

const ignore = 'ignore|disregard|forget|override|bypass';
const orders = 'instructions|guidelines|directives|orders|prompt|prompts|training';
const model = 'assistant|model|llm|agent|ai|chatbot|claude|gpt|gemini|copilot';
const access = 'access|permission|permissions|scope|scopes|rights|privileges|role';

/**
 * What a result says to the model that reads it, where it has to say what was asked for. Far fewer than in definitions
 * (poison/commands-model.ts): manuals are full of orders, and reading a manual is ordinary.
 */
export const instructing = phrases({
  instructs_model: [
    `${ignore} 2 all|any|your|the 3 previous|prior|earlier|above|preceding|system|foregoing 3 ${orders}|rules`,
    `${ignore} 1 previous|prior|earlier|above|preceding 2 ${orders}|rules`,
    `${ignore} 1 your 3 ${orders}|rules|guardrails`,
    `${ignore} everything|anything|all 3 told|above|said|before`,
    `${ignore} 3 what 2 user|human 3 asked|said|told`,
    `${ignore} 2 user|human 1 request|question|task`,
    'you are now 4 unrestricted|free|mode|jailbroken|developer|admin|root',
    'your new task|role|instructions|goal|priority|orders',
    'new system instructions|instruction|prompt|message',
    `note|notice|message|instruction|instructions|reminder 1 to|for 2 ${model}|llms|agents|assistants 3 reading|processing|who|that|you|must|please`,
    `attention|dear|hey 2 ${model}|agents|llms`,
    `${model}|agents|llms 2 reading|processing 2 this|document|page|file|text`,
    `if you are 2 ${model}|llms 8 must|should|please|ignore|send|reply|include|respond`,
    `${model} 1 must|shall 5 send|include|call|invoke|execute|reveal|forward|upload|reply|respond`,
    'do not|never 2 tell|inform|mention|reveal|show 4 to 2 user|human|operator',
    'do not|never 1 tell|inform|alert|notify 2 user|human|operator',
    'without 1 telling|informing|asking|alerting|notifying 2 user|human|operator',
    'ignoriere|missachte|vergiss 5 anweisungen|vorgaben',
    'ignorez|oubliez|oublie 4 instructions|consignes',
    'ignora|olvida 4 instrucciones|istruzioni',
    'игнорируй|забудь|игнорируйте 4 инструкции|указания',
    '*忽略之前',
    '*无视之前',
    '*指示をすべて無視',
    '*指示を無視',
    '*이전 지시',
  ],
  asks_prompt: [
    `reveal|print|repeat|show|output|display|disclose|share|send|leak|tell|quote|paste|copy|include 3 your 2 system|hidden|initial|original|secret|full 2 ${orders}|message`,
    'reveal|print|repeat|output|disclose|leak|recite|quote 3 system prompt|prompts|message',
    'what|which 2 your 1 system|initial|original|hidden 1 prompt|instructions',
    `repeat|print|output|recite 3 everything|text|words|all 3 above|before|preceding`,
    `your 1 system|hidden|initial|original|exact 1 prompt|instructions 4 verbatim|word|below|here|exactly`,
  ],
});

/** The same of what went wrong: a way around it that a person did not choose. */
export const baiting = phrases({
  asks_wider: [
    `grant|give|request|obtain|enable|add|allow|assign 4 ${access}|token 8 retry|again|continue|proceed|try`,
    `grant|give|assign 2 me|us|this|it|tool|server|agent|app 3 full|admin|write|root|more|broader|additional|elevated 2 ${access}`,
    `retry|rerun|again|repeat 5 with|as|using 3 admin|administrator|root|sudo|elevated|full|broader|wider`,
    'disable|turn|switch|deactivate 3 sandbox|sandboxing|safety|guardrails|policy|policies|firewall|verification|gateway',
    'use|pass|provide|supply|send|enter|paste 3 admin|root|personal|owner|production|your 2 token|credentials|password|key|keys|secret',
    'approve|accept|confirm 3 all|every|following 2 prompts|permissions|operations',
  ],
  other_tool: [
    'call|use|invoke|run|try|execute 4 tool|server 3 instead',
    'call|use|invoke|execute 2 the 2 tool 6 to|with|then|first|and',
    'instead 2 call|use|invoke|run|execute 4 tool|command|server',
    'must|should|please|need 2 call|invoke|use 3 tool 4 first|before|with|then|now',
    'switch|fall 2 to 4 tool|server|function',
  ],
});
