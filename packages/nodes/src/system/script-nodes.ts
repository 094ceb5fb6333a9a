/**
 * Nodes that run code of the workflow: shell, Python, JavaScript. The code runs in a process of its own, never in the
 * robot's, and has the rights of the operating system's user: the permissions of nodes do not bind it, so that starting its
 * interpreter needs the operator's leave (`--allow-shell python3`).
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { anything, dict, filledText, flag, text } from '../params/index.ts';
import type { JsonObject, JsonValue, NodeContext, NodeType } from '../ports.ts';
import { childEnvironment } from '../processes/child-environment.ts';
import {
  COMMAND_OUTPUTS,
  outputsOf,
  retryOnNonzero,
  retryParams,
  timeoutParam,
  workingDir,
  workingDirParam,
} from '../processes/command-outputs.ts';
import { type ProcessEnd, runProcess } from '../processes/run-process.ts';
import { withScratchFolder } from '../processes/scratch-folder.ts';
import { splitWords } from '../processes/split-words.ts';
import { textOf } from '../values/text-of.ts';
import { PYTHON_RUNNER } from './python-runner.ts';

const isWindows = process.platform === 'win32';
const PYTHON = isWindows ? 'python' : 'python3';

export const runBatchScriptNode: NodeType = defineNode({
  type: 'RunBatchScriptNode',
  category: 'scripts',
  description: "Runs a script of the system's shell: sh, or a batch file on Windows.",
  params: z.object({ script: filledText(), working_dir: workingDirParam, timeout: timeoutParam, ...retryParams }),
  outputs: COMMAND_OUTPUTS,
  effect: () => 'effect',
  async run(ctx) {
    const { script, working_dir } = ctx.params;
    const end = await withScratchFolder(async (folder) => {
      const file = join(folder, isWindows ? 'script.bat' : 'script.sh');
      await writeFile(file, isWindows ? script.replaceAll(/\r?\n/g, '\r\n') : script, { mode: 0o600 });
      return isWindows
        ? interpret(ctx, 'cmd.exe', ['/d', '/c', file], working_dir)
        : interpret(ctx, 'sh', [file], working_dir);
    });
    retryOnNonzero(ctx as NodeContext<typeof ctx.params>, end);
    return { outputs: outputsOf(ctx, end) };
  },
});

export const runPythonFileNode: NodeType = defineNode({
  type: 'RunPythonFileNode',
  category: 'scripts',
  description: 'Runs a Python file.',
  params: z.object({
    file_path: filledText(),
    args: anything(),
    working_dir: workingDirParam,
    timeout: timeoutParam,
    python_path: text(''),
    ...retryParams,
  }),
  outputs: COMMAND_OUTPUTS,
  effect: () => 'effect',
  async run(ctx) {
    const { file_path, args, working_dir, python_path } = ctx.params;
    const file = ctx.resolvePath(file_path);
    const end = await interpret(ctx, python_path.trim() || PYTHON, [file, ...wordsOf(args)], working_dir);
    retryOnNonzero(ctx as NodeContext<typeof ctx.params>, end);
    return { outputs: outputsOf(ctx, end) };
  },
});

export const runPythonScriptNode: NodeType = defineNode({
  type: 'RunPythonScriptNode',
  category: 'scripts',
  description:
    'Runs Python code with `variables`; what it assigns to `result` is the result. A fault of the code is an answer.',
  params: z.object({
    code: filledText(),
    variables: dict(),
    timeout: timeoutParam,
    isolated: flag(true),
  }),
  outputs: ['result', 'output', 'success', 'error'],
  effect: () => 'effect',
  async run(ctx) {
    const { code, variables } = ctx.params;
    return withScratchFolder(async (folder) => {
      const place = (name: string): string => join(folder, name);
      await writeFile(place('runner.py'), PYTHON_RUNNER);
      await writeFile(place('input.json'), JSON.stringify({ code, variables }));
      const end = await interpret(ctx, PYTHON, ['-X', 'utf8', place('runner.py'), folder], '');
      return { outputs: await pythonAnswer(place('answer.json'), end) };
    });
  },
});

export const runJavaScriptNode: NodeType = defineNode({
  type: 'RunJavaScriptNode',
  category: 'scripts',
  description: 'Runs JavaScript under Node.js with `inputData`; what it prints is the result.',
  params: z.object({ code: filledText(), input_data: anything(), timeout: timeoutParam, node_path: text('node') }),
  outputs: ['result', 'success', 'error'],
  effect: () => 'effect',
  async run(ctx) {
    const { code, input_data, node_path } = ctx.params;
    const end = await withScratchFolder(async (folder) => {
      const file = join(folder, 'script.cjs');
      await writeFile(file, `const inputData = ${JSON.stringify(input_data)};\n(async () => {\n${code}\n})();\n`);
      return interpret(ctx, node_path.trim() || 'node', [file], '');
    });
    const { stdout, stderr, success } = outputsOf(ctx, end);
    const result = String(stdout).replace(/\r?\n$/, '');
    return { outputs: { result, success: success ?? false, error: success === true ? '' : (stderr ?? '') } };
  },
});

type ScriptContext = Pick<
  NodeContext,
  'access' | 'variables' | 'jobId' | 'resolvePath' | 'signal' | 'clock' | 'log'
> & { readonly params: { readonly timeout: number } };

function interpret(
  ctx: ScriptContext,
  interpreter: string,
  args: readonly string[],
  workingFolder: string,
): Promise<ProcessEnd> {
  ctx.access.requireCommand(interpreter);
  return runProcess({
    file: interpreter,
    args,
    cwd: workingDir(ctx, workingFolder),
    env: childEnvironment(ctx),
    timeoutMs: ctx.params.timeout * 1000,
    signal: ctx.signal,
    clock: ctx.clock,
  });
}

/** The runner leaves its answer in a file; without one the interpreter itself failed. */
async function pythonAnswer(file: string, end: ProcessEnd): Promise<JsonObject> {
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) {
    const error = end.stderr.trim() || `Python ended with the code ${end.exitCode ?? end.signal}`;
    return { result: null, output: end.stdout, success: false, error };
  }
  const answer = JSON.parse(text) as { readonly result: JsonValue; readonly error: string | null };
  return { result: answer.result, output: end.stdout, success: answer.error === null, error: answer.error ?? '' };
}

function wordsOf(args: JsonValue): string[] {
  if (args === null) return [];
  return Array.isArray(args) ? (args as readonly JsonValue[]).map(textOf) : splitWords(textOf(args));
}
