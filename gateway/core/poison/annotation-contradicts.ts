import { isJsonObject } from '#gateway/core/json.ts';
import { type Hit, hit } from './finding.ts';
import { nameWords } from './name-words.ts';
import type { Subject } from './subject.ts';
import { stem } from './words.ts';

const stems = (words: string): ReadonlySet<string> => new Set(words.split(' ').map(stem));
const destroys = stems('delete remove drop purge erase wipe destroy terminate kill revoke truncate uninstall');
const changes = stems(
  'write create update send post publish upload install deploy transfer insert append move rename edit set put patch merge push modify archive restart cancel approve grant assign invite pay',
);

/** A query may be executed and only read; a command may do anything. */
const launches = stems('run execute exec eval');
const programs = stems('command shell bash script code program');

/** Hints are the server's own word, and hosts skip their questions over it. A hint that denies the verb is a lie. */
export function annotationContradicts({ on, name, definition }: Subject): readonly Hit[] {
  const { annotations } = definition;
  if (on !== 'tool' || !isJsonObject(annotations)) return [];
  const [verb = '', object = ''] = nameWords(name);
  const runs = launches.has(verb) && programs.has(object);
  if (annotations.readOnlyHint === true && (runs || destroys.has(verb) || changes.has(verb))) {
    return [hit('/annotations/readOnlyHint', 'it says that it only reads, and its name says otherwise', name)];
  }
  if (annotations.destructiveHint === false && destroys.has(verb)) {
    return [hit('/annotations/destructiveHint', 'it says that it destroys nothing, and its name says otherwise', name)];
  }
  return [];
}
