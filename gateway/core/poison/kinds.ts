import { annotationContradicts } from './annotation-contradicts.ts';
import { asksSecrecy } from './asks-secrecy.ts';
import { bidiControl } from './bidi-control.ts';
import { commandsModel } from './commands-model.ts';
import { encodedText } from './encoded-text.ts';
import type { Hit } from './finding.ts';
import { hiddenCharacter } from './hidden-character.ts';
import { hiddenComment } from './hidden-comment.ts';
import type { Beside } from './known-tools.ts';
import { lookalikeName } from './lookalike-name.ts';
import { mixedScript } from './mixed-script.ts';
import { namesOtherTool } from './names-other-tool.ts';
import { secretPlace } from './secret-place.ts';
import { sendsElsewhere } from './sends-elsewhere.ts';
import { squattingName } from './squatting-name.ts';
import type { Subject } from './subject.ts';
import { tagBlock } from './tag-block.ts';
import { unrelatedParameter } from './unrelated-parameter.ts';

/** Found in one definition by itself. */
export const alone = {
  hidden_character: hiddenCharacter,
  bidi_control: bidiControl,
  tag_block: tagBlock,
  mixed_script: mixedScript,
  encoded_text: encodedText,
  hidden_comment: hiddenComment,
  commands_model: commandsModel,
  asks_secrecy: asksSecrecy,
  sends_elsewhere: sendsElsewhere,
  secret_place: secretPlace,
  unrelated_parameter: unrelatedParameter,
  annotation_contradicts: annotationContradicts,
} as const satisfies Record<string, (subject: Subject) => readonly Hit[]>;

/** Found beside the tools of other servers. */
export const beside = {
  names_other_tool: namesOtherTool,
  lookalike_name: lookalikeName,
  squatting_name: squattingName,
} as const satisfies Record<string, (subject: Subject, beside: Beside) => readonly Hit[]>;

export type PoisonKind = keyof typeof alone | keyof typeof beside | 'split_instruction';

export const poisonKinds: readonly PoisonKind[] = [
  ...(Object.keys(alone) as (keyof typeof alone)[]),
  ...(Object.keys(beside) as (keyof typeof beside)[]),
  'split_instruction',
];
