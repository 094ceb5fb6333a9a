/** RunCommandNode: runs a program; with `shell` a command line of the system's shell. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { NodeError } from '../errors.ts';
import { anything, filledText, flag } from '../params/index.ts';
import type { JsonValue, NodeContext, NodeType } from '../ports.ts';
import { childEnvironment } from '../processes/child-environment.ts';
import { COMMAND_OUTPUTS, outputsOf, timeoutParam, workingDir, workingDirParam } from '../processes/command-outputs.ts';
import { runProcess } from '../processes/run-process.ts';
import { splitWords } from '../processes/split-words.ts';
import { textOf } from '../values/text-of.ts';

/** Programs that end a machine or wipe what is on it; a mistake with them is not undone. */
const DANGEROUS =
  /^(rm|rmdir|del|erase|dd|shred|mkfs(\..*)?|fdisk|parted|format|diskpart|shutdown|reboot|halt|poweroff|init|kill|killall|pkill|taskkill|chmod|chown|sudo|su|doas|reg)(\.exe)?$/i;

/** What makes a shell do more than run the one program it was given. */
const METACHARACTERS = /[;&|<>`$(){}\n\r]/;

const params = z.object({
  command: filledText(),
  args: anything(),
  shell: flag(false),
  timeout: timeoutParam,
  working_dir: workingDirParam,
  capture_output: flag(true),
  allow_dangerous: flag(false),
});

type Params = z.output<typeof params>;

export const runCommandNode: NodeType = defineNode({
  type: 'RunCommandNode',
  category: 'system',
  description: 'Runs a program and waits for its end; a code other than 0 is an answer, not a failure.',
  params,
  outputs: COMMAND_OUTPUTS,
  effect: () => 'effect',
  async run(ctx) {
    const { file, args } = ctx.params.shell ? shellCommand(ctx.params) : programOf(ctx.params);
    ctx.access.requireCommand(file);
    const end = await runProcess({
      file,
      args,
      cwd: workingDir(ctx, ctx.params.working_dir),
      env: childEnvironment(ctx as NodeContext),
      timeoutMs: ctx.params.timeout * 1000,
      capture: ctx.params.capture_output,
      signal: ctx.signal,
      clock: ctx.clock,
    });
    return { outputs: outputsOf(ctx, end) };
  },
});

interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** Without a shell nothing in the arguments is special. A command that is no program may bring arguments along. */
function programOf({ command, args, allow_dangerous }: Params): Command {
  const written = command.trim();
  const [file = written, ...own] = existsSync(written) ? [written] : splitWords(written);
  if (!allow_dangerous && DANGEROUS.test(basename(file)))
    throw dangerous(`The program "${basename(file)}" can do harm`);
  return { file, args: [...own, ...wordsOf(args)] };
}

function shellCommand({ command, args, allow_dangerous }: Params): Command {
  const extra = typeof args === 'string' ? args : wordsOf(args).map(quotedForShell).join(' ');
  const line = extra.trim() === '' ? command : `${command} ${extra}`;
  if (!allow_dangerous) {
    const metacharacter = METACHARACTERS.exec(line)?.[0];
    if (metacharacter !== undefined) {
      throw dangerous(`The command line holds ${JSON.stringify(metacharacter)}, which means something to the shell`);
    }
    const harmful = splitWords(line).find((word) => DANGEROUS.test(basename(word)));
    if (harmful !== undefined) throw dangerous(`The program "${basename(harmful)}" can do harm`);
  }
  return process.platform === 'win32'
    ? { file: 'cmd.exe', args: ['/d', '/s', '/c', line] }
    : { file: 'sh', args: ['-c', line] };
}

function wordsOf(args: JsonValue): string[] {
  if (args === null) return [];
  if (Array.isArray(args)) return (args as readonly JsonValue[]).map(textOf);
  return splitWords(textOf(args));
}

function quotedForShell(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function dangerous(problem: string): NodeError {
  return new NodeError(`${problem}: set allow_dangerous if this is meant`, {
    code: 'COMMAND_DANGEROUS',
    errorType: 'PermissionError',
  });
}
