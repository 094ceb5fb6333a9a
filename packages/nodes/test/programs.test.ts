/** Nodes that start programs, with real programs. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAccessPolicy } from '@casare/execution';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject, NodeType } from '../src/ports.ts';
import { splitWords } from '../src/processes/split-words.ts';
import { systemNodes } from '../src/system/system-nodes.ts';
import { accessScope, NodeBench, type TestContextOptions } from './context.ts';

let workDir: string;
beforeEach(() => {
  workDir = realpathSync(mkdtempSync(join(tmpdir(), 'casare-programs-')));
});
afterEach(() => rmSync(workDir, { recursive: true, force: true }));

function typeOf(name: string): NodeType {
  const type = systemNodes.find(({ type: own }) => own === name);
  if (type === undefined) throw new Error(`no ${name}`);
  return type;
}

const bench = (name: string, config: JsonObject, options: TestContextOptions = {}): NodeBench =>
  new NodeBench(typeOf(name), config, { workDir, ...options });
const run = (name: string, config: JsonObject, options?: TestContextOptions): Promise<JsonObject> =>
  bench(name, config, options).outputs();
const failure = (promise: Promise<unknown>): Promise<{ code?: string; message?: string }> =>
  promise.then(
    () => ({ code: 'none' }),
    (error: { code: string; message: string }) => error,
  );

const hasPython = ((): boolean => {
  try {
    execFileSync('python3', ['--version']);
    return true;
  } catch {
    return false;
  }
})();

/** A program that says that it runs, starts a child that would outlive it, and ignores requests to end. */
const stubborn = `
trap '' TERM
sleep 600 &
echo $! > child.pid
echo $$ > own.pid
while :; do sleep 1; done
`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

const pidIn = (file: string): number => {
  try {
    return Number(
      execFileSync('cat', [join(workDir, file)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    );
  } catch {
    return 0;
  }
};

describe.runIf(process.platform !== 'win32')('RunCommandNode', () => {
  test('gives what a program prints, its code, and success', async () => {
    expect(await run('RunCommandNode', { command: 'printf', args: '%s-%s "two words" x' })).toEqual({
      stdout: 'two words-x',
      stderr: '',
      return_code: 0,
      success: true,
    });
    expect(await run('RunCommandNode', { command: 'ls', args: ['/no such folder'] })).toMatchObject({
      stderr: expect.stringContaining('/no such folder'),
      success: false,
    });
  });

  test('has no shell: what would mean something to one is text', async () => {
    const args = ['$(touch pwned); `id` && echo * > x | y'];
    expect((await run('RunCommandNode', { command: 'echo', args })).stdout).toBe(`${args[0]}\n`);
  });

  test('takes a command with its arguments, a working folder, and an environment of the job', async () => {
    expect((await run('RunCommandNode', { command: 'echo one "two three"' })).stdout).toBe('one two three\n');
    const options = {
      variables: { _environment: { GREETING: 'hello', CASARE_JOB_PROCESS: 'forged', CASARE_JOB_ID: 'forged' } },
    };
    process.env.CASARE_SECRET_X = 'private';
    process.env.CASARE_JOB_PROCESS = 'mark';
    const { stdout } = await run('RunCommandNode', { command: 'env', working_dir: workDir }, options);
    delete process.env.CASARE_SECRET_X;
    delete process.env.CASARE_JOB_PROCESS;
    expect(stdout).toContain('GREETING=hello\n');
    expect(stdout).toContain('CASARE_JOB_ID=job-1\n');
    expect(stdout).toContain('CASARE_JOB_PROCESS=mark\n');
    expect(stdout).not.toContain('private');
  });

  test('with a shell refuses what makes one do more, unless it is meant', async () => {
    for (const command of ['echo a; echo b', 'echo $(id)', 'echo a | cat', 'echo `id`', 'echo a\necho b', 'cat < x']) {
      expect(await failure(run('RunCommandNode', { command, shell: true })), command).toMatchObject({
        code: 'COMMAND_DANGEROUS',
      });
    }
    expect((await run('RunCommandNode', { command: 'echo a b', shell: true })).stdout).toBe('a b\n');
    expect(
      (await run('RunCommandNode', { command: 'echo a; echo b', shell: true, allow_dangerous: true })).stdout,
    ).toBe('a\nb\n');
    expect(await failure(run('RunCommandNode', { command: '/bin/rm', args: '-rf x' }))).toMatchObject({
      code: 'COMMAND_DANGEROUS',
    });
  });

  test('bounds what it keeps, and says that it dropped the rest', async () => {
    const node = bench('RunCommandNode', { command: 'head', args: '-c 3000000 /dev/zero' });
    const { outputs } = await node.run();
    expect(String(outputs?.stdout).length).toBe(1024 * 1024);
    expect(node.logs).toMatchObject([{ level: 'warning', message: expect.stringContaining('dropped') }]);
    expect((await run('RunCommandNode', { command: 'echo a', capture_output: false })).stdout).toBe('');
  });

  test('names a program that is not there, and one that is too slow', async () => {
    expect(await failure(run('RunCommandNode', { command: 'no-such-program' }))).toMatchObject({
      code: 'COMMAND_NOT_FOUND',
      message: expect.stringContaining('no-such-program'),
    });
    expect(await failure(run('RunCommandNode', { command: 'sleep 600', timeout: 0.05 }))).toMatchObject({
      code: 'COMMAND_TIMEOUT',
      ambiguous: true,
    });
  });

  test('needs leave for the program that it starts, by name', async () => {
    const some = accessScope(createAccessPolicy({ allowCommands: ['echo'] }), workDir);
    const ask = (config: JsonObject) => failure(bench('RunCommandNode', config).runWith({ access: some }));
    expect(await ask({ command: 'echo hi' })).toMatchObject({ code: 'none' });
    for (const config of [
      { command: 'ls' },
      { command: './echo' },
      { command: 'echo hi', shell: true },
      { command: '/tmp/echo' },
    ]) {
      expect(await ask(config), JSON.stringify(config)).toMatchObject({ code: 'PERMISSION_DENIED' });
    }
  });

  test('a workflow cannot put its own program in the place of an allowed one', async () => {
    writeFileSync(join(workDir, 'echo'), '#!/bin/sh\ntouch pwned\n', { mode: 0o755 });
    const some = accessScope(createAccessPolicy({ allowCommands: ['echo'] }), workDir);
    const node = bench(
      'RunCommandNode',
      { command: 'echo hi' },
      { variables: { _environment: { PATH: workDir, LD_PRELOAD: 'x' } } },
    );
    expect((await node.runWith({ access: some })).outputs?.stdout).toBe('hi\n');
    const set = bench('EnvironmentVariableNode', { action: 'set', var_name: 'PATH', value: workDir });
    expect(await failure(set.runWith({ access: some }))).toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  test('a cancel ends the whole process group, also one that does not want to', { timeout: 20_000 }, async () => {
    const controller = new AbortController();
    const running = failure(run('RunBatchScriptNode', { script: stubborn }, { signal: controller.signal }));
    await until(() => pidIn('own.pid') > 0 && pidIn('child.pid') > 0);
    const [own, child] = [pidIn('own.pid'), pidIn('child.pid')];
    controller.abort(new DOMException('cancelled', 'AbortError'));
    expect(await running).toMatchObject({ message: 'cancelled' });
    await until(() => !isAlive(child));
    expect(isAlive(own)).toBe(false);
  });
});

describe.runIf(process.platform !== 'win32')('scripts', () => {
  test('a shell script runs as it is written, and is repeated when its own config asks for it', async () => {
    const script = 'for i in 1 2 3; do echo "$i"; done; exit 3';
    expect(await run('RunBatchScriptNode', { script })).toMatchObject({
      stdout: '1\n2\n3\n',
      return_code: 3,
      success: false,
    });
    const config = { script, retry_on_nonzero: true, retry_count: 1 };
    expect(await failure(bench('RunBatchScriptNode', config).run())).toMatchObject({
      code: 'COMMAND_FAILED',
      category: 'transient',
    });
    expect((await bench('RunBatchScriptNode', config).runWith({ attempt: 2 })).outputs).toMatchObject({
      return_code: 3,
    });
  });

  test('JavaScript has inputData, may await, and its fault is an answer', async () => {
    const code = 'await null; console.log(JSON.stringify({ sum: inputData.a + inputData.b }))';
    expect(await run('RunJavaScriptNode', { code, input_data: { a: 1, b: 2 }, node_path: process.execPath })).toEqual({
      result: '{"sum":3}',
      success: true,
      error: '',
    });
    expect(
      await run('RunJavaScriptNode', { code: "throw new Error('no')", node_path: process.execPath }),
    ).toMatchObject({
      success: false,
      error: expect.stringContaining('Error: no'),
    });
  });

  test.runIf(hasPython)('Python has its variables, gives result and output, and its fault is an answer', async () => {
    const code = 'print("hi", name)\nresult = {"twice": n * 2}';
    expect(await run('RunPythonScriptNode', { code, variables: { name: 'Ann', n: 21 } })).toEqual({
      result: { twice: 42 },
      output: 'hi Ann\n',
      success: true,
      error: '',
    });
    expect(await run('RunPythonScriptNode', { code: 'result = 1\n1/0' })).toMatchObject({
      result: 1,
      success: false,
      error: expect.stringContaining('ZeroDivisionError'),
    });
    expect(await run('RunPythonScriptNode', { code: 'import os; os._exit(7)' })).toMatchObject({
      success: false,
      error: 'Python ended with the code 7',
    });
    expect(await run('RunPythonScriptNode', { code: 'result = float("nan")' })).toMatchObject({
      success: false,
      result: null,
      error: expect.stringContaining('cannot be kept'),
    });
  });

  test.runIf(hasPython)('a Python file gets its arguments and is held to the work folder', async () => {
    writeFileSync(join(workDir, 'job.py'), 'import sys; print(sys.argv[1:])');
    expect(await run('RunPythonFileNode', { file_path: 'job.py', args: 'a "b c"' })).toMatchObject({
      stdout: "['a', 'b c']\n",
    });
  });

  test.each([
    ['RunBatchScriptNode', { script: 'true' }],
    ['RunPythonScriptNode', { code: 'pass' }],
    ['RunPythonFileNode', { file_path: 'x.py' }],
    ['RunJavaScriptNode', { code: '1' }],
  ])('%s needs leave for its interpreter', async (name, config) => {
    const none = accessScope(createAccessPolicy(), workDir);
    expect(await failure(bench(name, config).runWith({ access: none }))).toMatchObject({ code: 'PERMISSION_DENIED' });
  });
});

describe('EnvironmentVariableNode', () => {
  test('sets for the job, reads what the job has, and keeps out of the robot', async () => {
    const node = bench('EnvironmentVariableNode', { action: 'set', var_name: 'COLOUR', value: 'red' });
    await node.run();
    expect(node.variables.get('_environment')).toEqual({ COLOUR: 'red' });
    expect(process.env.COLOUR).toBeUndefined();
    const variables = { _environment: { COLOUR: 'red' } };
    expect(await run('EnvironmentVariableNode', { var_name: 'COLOUR' }, { variables })).toMatchObject({
      result_value: 'red',
      exists: true,
    });
    expect(await run('EnvironmentVariableNode', { var_name: 'NO_SUCH' })).toMatchObject({
      result_value: '',
      exists: false,
    });
  });

  test("refuses the robot's own variables and other scopes", async () => {
    for (const var_name of ['CASARE_SECRET_X', 'SUPABASE_KEY', 'casare_home']) {
      expect(await failure(run('EnvironmentVariableNode', { var_name }))).toMatchObject({
        code: 'ENVIRONMENT_PRIVATE',
      });
    }
    expect(
      await failure(run('EnvironmentVariableNode', { action: 'set', var_name: 'A', scope: 'user' })),
    ).toMatchObject({
      code: 'ENVIRONMENT_SCOPE',
    });
  });
});

describe('small tools', () => {
  test('SystemInfoNode tells about this machine', async () => {
    const { os_name, ram_percent, disk_percent, info } = await run('SystemInfoNode', {});
    expect(os_name).toBe(process.platform);
    for (const percent of [ram_percent, disk_percent]) expect(percent).toBeGreaterThan(0);
    expect(Object.keys(info as JsonObject)).toEqual(['os', 'cpu', 'ram', 'disk', 'network']);
    expect(Object.keys((await run('SystemInfoNode', { info_type: 'os' })).info as JsonObject)).toContain('hostname');
  });

  test('ProcessListNode finds this process, without its command line', async () => {
    const { processes, count } = await run('ProcessListNode', { filter_name: 'node' });
    const own = (processes as readonly JsonObject[]).find(({ pid }) => pid === process.pid || pid === process.ppid);
    expect(own).toBeDefined();
    expect(Object.keys(own ?? {})).toEqual(['pid', 'name', 'parent_pid', 'cpu_percent', 'memory_percent']);
    expect(count).toBe((processes as readonly unknown[]).length);
  });

  test('Base64Node encodes and decodes, and refuses what is none', async () => {
    expect((await run('Base64Node', { input_text: 'grüß' })).output).toBe('Z3LDvMOf');
    expect((await run('Base64Node', { action: 'decode', input_text: 'Z3LDvMOf' })).output).toBe('grüß');
    for (const input_text of ['a', 'ä', '/w==']) {
      expect(await failure(run('Base64Node', { action: 'decode', input_text }))).toMatchObject({
        code: 'BASE64_INVALID',
      });
    }
  });

  test('UUIDGeneratorNode makes as many as it is told, of that version', async () => {
    const { uuids, uuid } = await run('UUIDGeneratorNode', { count: 3, uuid_version: '1' });
    expect(new Set(uuids as string[]).size).toBe(3);
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-1/);
    expect((await run('UUIDGeneratorNode', {})).uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  });

  test('LogToFileNode writes lines, and its probe finds the one that was written', async () => {
    const node = bench('LogToFileNode', { log_file_path: 'logs/job.log', log_message: 'ready' });
    const before = await node.prepare();
    expect(await node.probe(before)).toEqual({ state: 'not-done' });
    await node.run();
    expect(execFileSync('cat', [join(workDir, 'logs/job.log')], { encoding: 'utf8' })).toMatch(
      /^\d{4}-.*Z \[INFO\] ready\n$/,
    );
    expect(await node.probe(before)).toMatchObject({ state: 'done' });
    const other = bench('LogToFileNode', { log_file_path: 'logs/job.log', log_message: 'other' });
    expect(await other.probe({ ...(before as JsonObject), text: '[INFO] other\n' })).toMatchObject({
      state: 'unknown',
    });
  });

  test.each([
    ['a b', ['a', 'b']],
    [`'a b' "c d" e\\ f`, ['a b', 'c d', 'e f']],
    [`"" ''`, ['', '']],
    [`a"b"'c'`, ['abc']],
    [`"say \\"hi\\""`, ['say "hi"']],
    ['  ', []],
  ])('%j is split into %j', (text, words) => expect(splitWords(text)).toEqual(words));
});
