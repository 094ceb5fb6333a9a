import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '@casare/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { main } from '../src/cli/program.ts';
import { cashier } from './support/cashier.ts';
import { runCommand, startCommand } from './support/command.ts';
import { temporaryFolder } from './support/robot-home.ts';
import { appendLine, chain, wait } from './support/workflows.ts';

const examples = fileURLToPath(new URL('../../../examples/', import.meta.url));

function workspace(): { folder: string; env: Record<string, string>; write(name: string, text: string): string } {
  const folder = temporaryFolder();
  return {
    folder,
    env: { CASARE_HOME: join(folder, 'home') },
    write(name, text) {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    },
  };
}

describe('casare-robot', () => {
  const commands = [
    ['demo'],
    ['run'],
    ['validate'],
    ['start'],
    ['local'],
    ['job'],
    ['status'],
    ['pause'],
    ['resume'],
    ['limit'],
    ['stop'],
  ];
  const jobCommands = ['submit', 'list', 'show', 'cancel', 'resolve', 'redrive'].map((name) => ['job', name]);

  it('explains itself, as a process', async () => {
    const { exitCode, stdout } = await runCommand(['--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Usage: casare-robot');
  });

  it.each([...commands, ...jobCommands].map((words) => ({ words })))('explains $words --help', async ({ words }) => {
    let text = '';
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
      text += String(chunk);
      return true;
    });
    onTestFinished(() => write.mockRestore());
    expect(await main([...words, '--help'])).toBe(0);
    expect(text).toContain(`Usage: ${['casare-robot', ...words].join(' ')}`);
  });

  it('answers unknown commands and options with exit code 2', async () => {
    expect((await runCommand(['dance'])).exitCode).toBe(2);
    expect((await runCommand(['run', 'x.json', '--fast'])).exitCode).toBe(2);
  });

  it('names both variables and --local when URL and key are missing, with exit code 78', async () => {
    const { env } = workspace();
    for (const words of [['start'], ['job', 'list']]) {
      const { exitCode, stderr } = await runCommand(words, { env });
      expect(exitCode).toBe(78);
      expect(stderr).toMatch(/SUPABASE_URL.*SUPABASE_KEY.*--local/s);
    }
  });
});

describe('the output', () => {
  it('may lose its reader, and the command goes on to its end', async () => {
    const { env, folder, write } = workspace();
    const step = { id: 'say', type: 'LogNode', config: { message: 'x', level: 'info' } };
    const file = write('flow.json', chain('w', [wait('pause', 0.3), step, appendLine('note', 'out.txt', 'x')]));
    const command = startCommand(['run', file], { env, cwd: folder });
    command.child.stdout?.destroy();
    command.child.stderr?.destroy();
    expect(await command.ended).toBe(0);
    expect(readFileSync(join(folder, 'out.txt'), 'utf8')).toBe('x\n');
  });
});

describe('the commands for a running robot', () => {
  it.each([['status'], ['pause', '--note', 'x'], ['resume'], ['limit', '2'], ['stop']])(
    'say with exit code 69 that none runs: %s',
    async (...words) => {
      const { env } = workspace();
      const { exitCode, stderr } = await runCommand(words, { env });
      expect(exitCode).toBe(69);
      expect(stderr).toContain(`no robot runs in ${env.CASARE_HOME}`);
    },
  );

  it('refuse what is no duration or no number before they ask', async () => {
    const { env } = workspace();
    for (const words of [
      ['pause', '--timeout', 'soon'],
      ['limit', 'many'],
      ['limit', '0'],
      ['stop', '--mode', 'fast'],
      ['job', 'submit', 'x.json', '--on-lost', 'forget'],
      ['job', 'submit', 'x.json', '--max-attempts', '1001'],
    ]) {
      expect((await runCommand(words, { env })).exitCode).toBe(2);
    }
  });

  it.each([{ answers: [] }, { answers: ['--retry', '--skip'] }])(
    'refuse before they ask what is not one answer: $answers',
    async ({ answers }) => {
      const said: string[] = [];
      const terminal = {
        print: () => {},
        note: (line: string) => void said.push(line),
        status: () => {},
        isInteractive: false,
      };
      expect(await main(['job', 'resolve', '3f2a', ...answers], terminal)).toBe(2);
      expect(said.join()).toContain('give one of --retry, --skip, --fail and --restart');
    },
  );
});

describe('casare-robot start', () => {
  it('says which home cannot be used, before it starts anything', async () => {
    const { write } = workspace();
    const home = join(write('no-folder', ''), 'home');
    const { exitCode, stderr, stdout } = await runCommand(['start', '--local'], { env: { CASARE_HOME: home } });
    expect(stdout).toBe('');
    expect(stderr).toContain(`the robot's home ${home} cannot be used`);
    expect(exitCode).toBe(78);
  });
});

describe('casare-robot run', () => {
  it('warns of a variable that the workflow does not mention, also when its name is a part of a word', async () => {
    const { folder, env, write } = workspace();
    const step = { id: 'say', type: 'LogNode', config: { message: 'hello {{who}}, world' } };
    const file = write('flow.json', chain('w', [step]));
    const { stderr } = await runCommand(['run', file, '--var', 'wo=1', '--var', 'who=2'], { env, cwd: folder });
    expect(stderr).toContain('mentions no variable "wo"');
    expect(stderr).not.toContain('"who"');
    const twice = await runCommand(['run', file, '--var', 'who=1', '--var', 'who=2'], { env, cwd: folder });
    expect(twice).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--var who is given more than once') });
  });

  it('prints one JSON object and nothing else with --json', async () => {
    const { folder, env, write } = workspace();
    const file = write(
      'flow.json',
      chain('greet', [
        { id: 'set', type: 'SetVariableNode', config: { variable_name: 'greeting', value: 'Hello {{name}}' } },
        { id: 'say', type: 'LogNode', config: { message: '{{greeting}}', level: 'info' } },
        appendLine('note', 'out.txt', '{{greeting}}'),
      ]),
    );
    const { exitCode, stdout } = await runCommand(['run', file, '--var', 'name="Ann"', '--json'], { env, cwd: folder });
    expect(exitCode).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({
      job_id: expect.any(String),
      workflow: 'greet',
      status: 'completed',
      duration_ms: expect.any(Number),
      nodes_total: 5,
      nodes_executed: 5,
      nodes_skipped: 0,
      error: null,
      variables: { name: 'Ann', greeting: 'Hello Ann' },
      outputs: { set: { value: 'Hello Ann' }, note: { bytes_written: 10 } },
      logs: [{ level: 'info', node_id: 'say', message: expect.stringContaining('Hello Ann') }],
    });
    expect(readFileSync(join(folder, 'out.txt'), 'utf8')).toBe('Hello Ann\n');
    expect(readdirSync(join(folder, 'home', 'runs'))).toEqual([]);
  });

  it('takes relative paths from the work folder', async () => {
    const { folder, env, write } = workspace();
    const file = write('flow.json', chain('w', [appendLine('note', 'here.txt', 'x')]));
    mkdirSync(join(folder, 'elsewhere'));
    const { exitCode } = await runCommand(['run', file, '--work-dir', 'elsewhere'], { env, cwd: folder });
    expect(exitCode).toBe(0);
    expect(readFileSync(join(folder, 'elsewhere', 'here.txt'), 'utf8')).toBe('x\n');
  });

  it('ends with 1 when the workflow fails, and names the node', async () => {
    const { env, write } = workspace();
    const file = write('f.json', chain('f', [{ id: 'boom', type: 'ThrowErrorNode', config: { error_message: 'no' } }]));
    const { exitCode, stdout } = await runCommand(['run', file, '--json'], { env });
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'failed', error: { node_id: 'boom', message: 'no' } });
    const plain = await runCommand(['run', file], { env });
    expect(plain.exitCode).toBe(1);
    expect(plain.stderr).toContain('boom');
  });

  it('ends with 130 and status cancelled on Ctrl-C', async () => {
    const { env, write } = workspace();
    const file = write('f.json', chain('f', [wait('sleep', 600)]));
    const run = startCommand(['run', file, '--json'], { env });
    await eventually('it runs', () => readdirSync(join(env.CASARE_HOME ?? '', 'runs')).length > 0, {
      timeoutMs: 20_000,
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    run.signal('SIGINT');
    expect(await run.ended).toBe(130);
    expect(JSON.parse(run.lines.join('\n'))).toMatchObject({ status: 'cancelled' });
  });

  it('resumes a run that was killed, without doing anything twice', async () => {
    const { folder, env, write } = workspace();
    const steps = Array.from({ length: 20 }, (_unused, n) => [
      appendLine(`l${n}`, 'l.txt', `${n}`),
      wait(`w${n}`, 0.05),
    ]);
    const file = write('f.json', chain('f', steps.flat()));
    const run = startCommand(['run', file], { env, cwd: folder });
    const lines = (): string[] => readFileSync(join(folder, 'l.txt'), 'utf8').trim().split('\n');
    await eventually('it is half-way', () => lines().length >= 8, { timeoutMs: 20_000, intervalMs: 5 });
    await run.kill();
    const [id] = readdirSync(join(env.CASARE_HOME ?? '', 'runs'));
    const { exitCode } = await runCommand(['run', '--resume', id ?? ''], { env });
    expect(exitCode).toBe(0);
    expect(lines()).toEqual(Array.from({ length: 20 }, (_unused, n) => `${n}`));
    expect((await runCommand(['run', '--resume', id ?? ''], { env })).stderr).toContain('no interrupted run');
  });

  it('asks about a run that was killed behind a payment, and goes on as its user answers, with the permissions it had', async () => {
    const { folder, env, write } = workspace();
    const { state, pay, paid } = await cashier();
    const file = write('f.json', chain('f', [pay('first'), pay('second'), appendLine('after', 'l.txt', 'after')]));
    const run = startCommand(['run', '--allow-net', '127.0.0.1', file], { env, cwd: folder });
    await eventually('the payment arrives', () => paid('first') === 1, { timeoutMs: 30_000 });
    const [id = ''] = readdirSync(join(env.CASARE_HOME ?? '', 'runs'));
    const early = await runCommand(['run', '--resume', id], { env });
    expect(early).toMatchObject({
      exitCode: 75,
      stderr: expect.stringContaining(`the run ${id} is still running (process ${run.child.pid} `),
    });
    await run.kill();
    state.isOpen = true;
    expect((await runCommand(['run', '--skip', file], { env })).exitCode).toBe(2);
    const asked = await runCommand(['run', '--resume', id], { env });
    expect(asked).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('in doubt: node first:') });
    expect(asked.stderr).toContain(`run --resume ${id} --retry | --skip | --fail`);
    expect(asked.stderr).toMatch(/^not reached: second, /m);
    const unknown = await runCommand(['run', '--resume', 'x'], { env });
    expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`interrupted are: ${id}`) });
    const skipped = await runCommand(['run', '--resume', id.slice(0, 8), '--skip'], { env });
    expect(skipped).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^passed over: first$/m) });
    expect(skipped.stderr).not.toContain('not reached');
    expect([paid('first'), paid('second'), readFileSync(join(folder, 'l.txt'), 'utf8')]).toEqual([1, 1, 'after\n']);
  });
});

interface Broken {
  readonly name: string;
  readonly text: string;
  readonly says: RegExp;
}

describe('a workflow that is not valid', () => {
  const broken: readonly [Broken, ...Broken[]] = [
    {
      name: 'an unknown node type',
      text: chain('w', [{ id: 'odd', type: 'WriteFilNode', config: {} }]),
      says: /odd.*WriteFileNode/s,
    },
    { name: 'broken JSON', text: '{"nodes": {', says: /line 1/ },
    {
      name: 'a cycle',
      text: (() => {
        const flow = JSON.parse(
          chain('w', [
            { id: 'a', type: 'CommentNode' },
            { id: 'b', type: 'CommentNode' },
          ]),
        );
        flow.connections.push({ source_node: 'b', source_port: 'exec_out', target_node: 'a', target_port: 'exec_in' });
        return JSON.stringify(flow);
      })(),
      says: /a.*b|b.*a/s,
    },
    {
      name: 'a missing required key',
      text: chain('w', [{ id: 'read', type: 'ReadFileNode', config: {} }]),
      says: /read.*file_path/s,
    },
  ];

  it('is refused before anything runs, whichever command meets it', async () => {
    const { folder, env, write } = workspace();
    const [{ text, says }] = broken;
    const file = write('w.json', text);
    for (const words of [['validate'], ['run'], ['job', 'submit']]) {
      const { exitCode, stdout, stderr } = await runCommand([...words, file], { env, cwd: folder });
      expect(exitCode).toBe(65);
      expect(`${stdout}${stderr}`).toMatch(says);
    }
  });

  it.each(broken)('is explained: $name', async ({ text, says }) => {
    const { env, write } = workspace();
    const { stdout, exitCode } = await runCommand(['validate', write('w.json', text), '--json'], { env });
    expect(stdout).toMatch(says);
    expect(exitCode).toBe(65);
    const report = JSON.parse(stdout);
    expect(report.valid).toBe(false);
    expect(report.findings.length).toBeGreaterThan(0);
    expect(Object.keys(report.findings[0]).toSorted()).toEqual(
      ['code', 'field', 'message', 'node', 'severity', 'suggestion'].toSorted(),
    );
  });
});

it('`validate --schema` prints the format as JSON Schema, with the config of the built-in nodes', async () => {
  const { exitCode, stdout } = await runCommand(['validate', '--schema']);
  expect(exitCode).toBe(0);
  const schema = JSON.parse(stdout);
  expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
  expect(schema.$defs['config:WriteFileNode'].properties.encoding.default).toBe('utf-8');
});

describe('the example workflows', () => {
  it('are valid, without a warning', async () => {
    const said: string[] = [];
    const note = (line: string): void => void said.push(line);
    const terminal = { print: note, note, status: note, isInteractive: false };
    for (const name of ['hello.json', 'orders.json', 'browser-form.json', 'failing.json']) {
      expect([name, await main(['validate', join(examples, name), '--strict'], terminal)]).toEqual([name, 0]);
      expect(said.pop()).toContain('valid');
    }
  });
});
