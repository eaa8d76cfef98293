import { Argument, Command } from 'commander';
import { print, type Shell } from './shell.ts';

/** One command of the tree, as far as a shell has to know it. */
interface Node {
  /** `servers ls`; empty for the program itself. */
  readonly path: string;
  readonly words: readonly { readonly name: string; readonly about: string }[];
}

/** `sekisho completion SHELL`: made from the commands themselves, so it never lags behind. */
export function completionCommand(shell: Shell): Command {
  const which = new Argument('<shell>', 'bash, zsh or fish').choices(['bash', 'zsh', 'fish']);
  return new Command('completion')
    .description('print the completion script of a shell')
    .addArgument(which)
    .addHelpText('after', '\nbash: source <(sekisho completion bash)\nfish: sekisho completion fish | source')
    .action((name: string, _: object, command: Command) => {
      const nodes = nodesOf(command.parent ?? command, []);
      const script = name === 'fish' ? fish(nodes) : name === 'zsh' ? zsh(nodes) : bash(nodes);
      print(shell, false, null, () => script);
    });
}

function nodesOf(command: Command, path: readonly string[]): readonly Node[] {
  const subcommands = command.commands.map((child) => ({ name: child.name(), about: child.description() }));
  const options = command.options.flatMap((option) =>
    option.long ? [{ name: option.long, about: option.description }] : [],
  );
  const help = { name: '--help', about: 'display help' };
  const own: Node = { path: path.join(' '), words: [...subcommands, ...options, help] };
  return [own, ...command.commands.flatMap((child) => nodesOf(child, [...path, child.name()]))];
}

/** The words typed so far that are commands, as far as the tree knows them. */
const known = (nodes: readonly Node[]): string => nodes.map(({ path }) => quoted(path)).join('|');

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const cases = (nodes: readonly Node[], words: (node: Node) => string): string =>
  nodes.map((node) => `    ${quoted(node.path)}) ${words(node)} ;;`).join('\n');

const bash = (nodes: readonly Node[]): string => `_sekisho() {
  local at='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${at:+$at }$word" in ${known(nodes)}) at="\${at:+$at }$word" ;; esac
  done
  local words=''
  case "$at" in
${cases(nodes, ({ words }) => `words=${quoted(words.map((word) => word.name).join(' '))}`)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _sekisho sekisho`;

const zsh = (nodes: readonly Node[]): string => `#compdef sekisho
_sekisho() {
  local at='' word
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${at:+$at }$word" in ${known(nodes)}) at="\${at:+$at }$word" ;; esac
  done
  case "$at" in
${cases(nodes, ({ words }) => `found=(${words.map(({ name, about }) => quoted(`${name}:${about}`)).join(' ')})`)}
  esac
  _describe 'sekisho' found || _files
}
compdef _sekisho sekisho`;

const fish = (nodes: readonly Node[]): string => {
  const lines = nodes.flatMap(({ path, words }) =>
    words.map(({ name, about }) => {
      const what = name.startsWith('--') ? `-l ${name.slice(2)}` : `-a ${name}`;
      return `complete -c sekisho -f -n "__sekisho_at ${quoted(path)}" ${what} -d ${fishText(about)}`;
    }),
  );
  const script = `function __sekisho_at
  set -l at
  for word in (commandline -opc)[2..-1]
    switch (string join ' ' $at $word)
      case ${nodes.map(({ path }) => quoted(path)).join(' ')}
        set -a at $word
    end
  end
  test (string join ' ' $at) = $argv[1]
end`;
  return [script, ...lines].join('\n');
};

const fishText = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
