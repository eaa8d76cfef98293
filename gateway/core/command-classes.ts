/** What a command line is there to do, as far as its first words tell. */
export type CommandClass =
  | 'read'
  | 'build'
  | 'install'
  | 'publish'
  | 'vcs_read'
  | 'vcs_write'
  | 'network'
  | 'destructive'
  | 'privileged'
  | 'interpreter'
  | 'unknown';

type Row = readonly [programs: string, words: string, is: CommandClass];

/** The first row that fits counts; `words` are the second words that it is about, `*` any or none. */
const rows: readonly Row[] = [
  // Not sort, uniq, tree, file, date and hostname: by an option, or a second name, they write, set, or run something.
  ['ls cat head tail grep egrep fgrep wc pwd stat diff cmp du df echo basename dirname', '*', 'read'],
  ['cut tr whoami id uname printenv which nl jq', '*', 'read'],
  ['git', 'status log diff show blame describe shortlog ls-files ls-tree cat-file rev-parse grep', 'vcs_read'],
  ['git', 'add commit merge rebase push pull fetch clone checkout switch restore reset branch tag stash', 'vcs_write'],
  ['git', 'cherry-pick revert am apply rm mv init submodule worktree remote', 'vcs_write'],
  ['npm pnpm yarn', 'test run build lint ci-test', 'build'],
  ['npm pnpm yarn', 'exec', 'interpreter'],
  ['npm pnpm yarn', 'install i ci add update upgrade remove uninstall link dlx', 'install'],
  ['npm pnpm yarn', 'publish unpublish deprecate', 'publish'],
  ['cargo go', 'build test check clippy fmt vet bench', 'build'],
  ['cargo', 'add install update', 'install'],
  ['cargo', 'publish yank', 'publish'],
  ['go', 'get install mod', 'install'],
  ['mvn gradle make cmake ninja tsc vitest jest pytest tox bazel', '*', 'build'],
  ['pip pip3 uv poetry gem bundle composer brew apt apt-get dnf yum apk pacman', '*', 'install'],
  ['twine', '*', 'publish'],
  ['docker podman', 'push', 'publish'],
  ['gh', 'release', 'publish'],
  ['docker podman', 'ps images logs inspect version', 'read'],
  ['docker podman', 'build', 'build'],
  ['kubectl', 'get describe logs explain version', 'read'],
  ['curl wget ssh scp sftp rsync nc ncat netcat telnet ftp dig nslookup ping socat', '*', 'network'],
  ['rm rmdir dd shred truncate wipefs fdisk parted', '*', 'destructive'],
  ['kubectl', 'delete drain cordon', 'destructive'],
  ['terraform', 'destroy apply', 'destructive'],
  ['docker podman', 'rm rmi prune kill stop system volume', 'destructive'],
  [
    'sudo su doas chmod chown chgrp mount umount systemctl service iptables nft useradd usermod passwd',
    '*',
    'privileged',
  ],
  ['kill killall pkill reboot shutdown crontab insmod modprobe setcap visudo', '*', 'privileged'],
  ['sh bash zsh fish dash ksh csh python python3 node deno bun perl ruby php lua osascript pwsh', '*', 'interpreter'],
  ['eval exec source xargs env nohup timeout nice time watch parallel find awk sed tee vi vim', '*', 'interpreter'],
];

/** By program. */
const table = Map.groupBy(
  rows.flatMap(([programs, words, is]) =>
    programs.split(' ').map((program) => ({ program, words: words.split(' '), is })),
  ),
  ({ program }) => program,
);

/** Options by which a program that reads, or builds, writes a file or runs another program; also as `--option=value`. */
const turning =
  /^(?:-O|--open-files-in-pager|--out|--ext-diff|--textconv|--exec|--upload-pack|--receive-pack|-toolexec|-vettool|--compress-program)/;

/**
 * Of a program and the words behind it. An option in the second place (`git -c …`) can make anything of what follows. It is a
 * guess at what is meant, from a closed list: a rule should permit by it, and forbid everything else.
 */
export function classOfCommand(program: string, words: readonly string[]): CommandClass {
  const [second = ''] = words;
  const found = table.get(program)?.find((row) => row.words.includes('*') || row.words.includes(second));
  // An option may be cut short (`--outp=x`), so by how it begins.
  return found === undefined || words.some((word) => turning.test(word)) ? 'unknown' : found.is;
}
