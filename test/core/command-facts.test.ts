import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CommandFact, commandFacts } from '#gateway/core/command-facts.ts';
import type { JsonValue } from '#gateway/core/json.ts';

const only = (command: JsonValue): CommandFact =>
  (commandFacts({ command }, ['/command']) as readonly CommandFact[])[0] as never;

describe('a command that is sure', () => {
  test.each<[JsonValue, Partial<CommandFact>]>([
    ['git push origin main', { program: 'git', argv: ['git', 'push', 'origin', 'main'], class: 'vcs_write' }],
    ['git  log\t-1', { argv: ['git', 'log', '-1'], class: 'vcs_read' }],
    ['/usr/bin/rm -rf build', { program: 'rm', class: 'destructive' }],
    [`git commit -m 'it is; fine $HOME' "a b"`, { argv: ['git', 'commit', '-m', 'it is; fine $HOME', 'a b'] }],
    ['grep --color=never x', { argv: ['grep', '--color=never', 'x'], class: 'read' }],
    ['npm install left-pad', { class: 'install' }],
    ['sudo ls', { class: 'privileged' }],
    ['bash -c ls', { class: 'interpreter' }],
    ['env ls', { class: 'interpreter' }],
    ['curl https://x.io', { class: 'network' }],
    [['git', 'log', '; rm -rf /'], { program: 'git', argv: ['git', 'log', '; rm -rf /'], class: 'vcs_read' }],
    ['git -c core.pager=evil log', { program: 'git', class: 'unknown' }],
    ['./git log', { program: 'git', class: 'unknown' }],
    ['/tmp/ls', { program: 'ls', class: 'unknown' }],
    ['toString', { program: 'toString', class: 'unknown' }],
  ])('%j', (command, wanted) => {
    expect(only(command)).toMatchObject({ pointer: '/command', shell_meta: false, ...wanted });
  });
});

describe('a line with which a shell would do more than split it says no program', () => {
  test.each([
    ...[
      'ls; rm -rf /',
      'ls && rm x',
      'ls | sh',
      'ls & rm x',
      'ls > /etc/passwd',
      'ls < x',
      'echo $(rm x)',
      'echo `rm x`',
    ],
    ...[
      'echo $HOME',
      'ls *',
      'ls ~',
      'ls ?',
      'ls [a]',
      'ls {a,b}',
      'A=b ls',
      'ls\nrm x',
      'ls\r\nrm x',
      'ls # x',
      '(ls)',
      '!ls',
    ],
    ...[
      '"ls $(rm x)"',
      `"l\\"s"`,
      "ls 'x",
      'l\\s',
      'ls \u0000',
      'ls\u00a0x',
      'ｌs',
      '',
      '   ',
      'ls ^a',
      'echo "a`rm x`"',
    ],
  ])('%j', (line) => {
    expect(only(line)).toMatchObject({ program: null, argv: null, class: 'unknown', shell_meta: true });
  });
});

test('a line that is split here is split in the same way by a shell', () => {
  const part = fc.constantFrom(
    'a',
    'b=c',
    ' ',
    '  ',
    "'",
    '"',
    '-x',
    '/d',
    '.',
    '$',
    '\\',
    ';',
    '%',
    '@',
    ',',
    ':',
    '+',
    '=',
    'é',
    '#',
    '~',
  );
  const lines: string[] = [];
  fc.assert(
    fc.property(fc.array(part, { maxLength: 10 }), (parts) => void lines.push(`echo ${parts.join('')}`)),
    { numRuns: 3_000 },
  );
  const sure = [...new Set(lines)].flatMap((line) => {
    const { argv } = only(line);
    return argv === null ? [] : [{ line, argv }];
  });
  expect(sure.length).toBeGreaterThan(100);
  // One shell for all of them: each line prints its words with a mark behind each, and one behind the line.
  const script = sure.map(({ line }) => `printf '%s\\037' ${line}; printf '\\036'`).join('\n');
  const { stdout } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
  const words = stdout
    .split('\u001e')
    .slice(0, -1)
    .map((one) => one.split('\u001f').slice(0, -1));
  expect(words).toEqual(sure.map(({ argv }) => argv));
});

test('what is no command is a flaw', () => {
  for (const command of [5, {}, ['ls', 5], [['ls']]]) {
    expect(commandFacts({ command }, ['/command'])).toMatchObject({ pointer: '/command', why: expect.any(String) });
  }
  expect(only([])).toMatchObject({ program: null, class: 'unknown' });
  expect(commandFacts({}, ['/command'])).toEqual([]);
});

test.each([
  'sort --compress-program=./x big',
  'uniq a /etc/b',
  'date -s 1',
  'git grep --open-files-in-pager=./x a',
  'git grep -O./x a',
  'git diff --output=/etc/x',
  'git diff --outp=/etc/x',
  'git log --ext-diff',
  'go build -toolexec=./x',
])('%s is of no class that a rule would permit', (line) => {
  expect(only(line).class).toBe('unknown');
});

test('to run whatever is named is what an interpreter does', () => {
  expect(only('npm exec evil').class).toBe('interpreter');
});
