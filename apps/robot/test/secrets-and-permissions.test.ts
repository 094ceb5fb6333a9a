/** What the command line lets nodes touch and know, as a person meets it. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { eventually } from '@casare/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCommand, startCommand } from './support/command.ts';
import { operatorOf } from './support/operator.ts';
import { pooledSupabase } from './support/pooled-supabase.ts';
import { temporaryFolder } from './support/robot-home.ts';
import { chain } from './support/workflows.ts';

interface Place {
  readonly root: string;
  readonly work: string;
  readonly env: Record<string, string>;
}

function place(): Place {
  const root = temporaryFolder();
  const work = join(root, 'work');
  mkdirSync(work);
  mkdirSync(join(root, 'other'));
  writeFileSync(join(root, 'other', 'note.txt'), 'a note');
  return { root, work, env: { CASARE_HOME: join(root, 'home') } };
}

async function run({ work, env }: Place, workflow: unknown, flags: readonly string[] = []) {
  writeFileSync(join(work, 'flow.json'), typeof workflow === 'string' ? workflow : JSON.stringify(workflow));
  const { exitCode, stdout, stderr } = await runCommand(['run', ...flags, 'flow.json', '--json'], { env, cwd: work });
  return {
    exitCode,
    text: stdout + stderr,
    report: JSON.parse(stdout || '{}') as {
      error: { code: string; message: string } | null;
      outputs: Record<string, Record<string, unknown>>;
    },
  };
}

describe('run', () => {
  it('keeps files to the current folder, and --allow-path opens another one', async () => {
    const where = place();
    symlinkSync(join(where.root, 'other'), join(where.work, 'door'));
    const read = chain('read', [{ id: 'read', type: 'ReadFileNode', config: { file_path: 'door/note.txt' } }]);
    const refused = await run(where, read);
    expect(refused.exitCode).toBe(1);
    expect(refused.report.error).toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining('--allow-path'),
    });
    expect(refused.text).not.toContain('a note');
    const allowed = await run(where, read, ['--allow-path', join(where.root, 'other')]);
    expect(allowed.report.outputs.read).toMatchObject({ content: 'a note' });
  });

  it("keeps the robot's own files closed, whatever is allowed", async () => {
    const where = place();
    mkdirSync(where.env.CASARE_HOME ?? '');
    writeFileSync(join(where.env.CASARE_HOME ?? '', 'secrets.json'), '{"api": "hush"}', { mode: 0o600 });
    const read = chain('read', [{ id: 'read', type: 'ReadFileNode', config: { file_path: '../home/secrets.json' } }]);
    const { report, text } = await run(where, read, ['--allow-path', '*']);
    expect(report.error).toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(text).not.toContain('hush');
  });

  it('starts no program; --allow-shell does, with a name or without, also before the file', async () => {
    const where = place();
    const say = chain('say', [{ id: 'say', type: 'RunCommandNode', config: { command: 'echo', args: 'hi' } }]);
    const refused = await run(where, say);
    expect(refused.report.error).toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining('--allow-shell echo'),
    });
    expect((await run(where, say, ['--allow-shell', 'ls'])).report.error).toMatchObject({ code: 'PERMISSION_DENIED' });
    for (const flags of [['--allow-shell', 'echo'], ['--allow-shell']]) {
      expect((await run(where, say, flags)).report.outputs.say, flags.join(' ')).toMatchObject({ stdout: 'hi\n' });
    }
    const behind = await runCommand(['run', 'flow.json', '--json', '--allow-shell'], {
      env: where.env,
      cwd: where.work,
    });
    expect(JSON.parse(behind.stdout), behind.stderr).toMatchObject({ outputs: { say: { stdout: 'hi\n' } } });
  });

  it('reaches no loopback address; --allow-net opens one, by flag or configuration', async () => {
    const where = place();
    const server = createServer((_request, response) => response.end('here'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const get = chain('get', [{ id: 'get', type: 'HttpRequestNode', config: { url: `http://${host}/` } }]);
    const refused = await run(where, get);
    expect(refused.report.error).toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining(`--allow-net ${host}`),
    });
    expect((await run(where, get, ['--allow-net', host])).report.outputs.get).toMatchObject({ response_body: 'here' });
    mkdirSync(where.env.CASARE_HOME ?? '', { recursive: true });
    writeFileSync(
      join(where.env.CASARE_HOME ?? '', 'config.json'),
      JSON.stringify({ permissions: { allowNet: ['127.0.0.0/8'] } }),
    );
    expect((await run(where, get)).exitCode).toBe(0);
  });

  it('names a permission that cannot be read, before anything runs', async () => {
    const where = place();
    const { exitCode, text } = await run(
      where,
      chain('log', [{ id: 'log', type: 'LogNode', config: { message: 'x' } }]),
      ['--allow-net', 'http://x/'],
    );
    expect(exitCode).toBe(78);
    expect(text).toContain('"http://x/" names no host');
  });
});

describe('a job of the daemon', () => {
  it('names its node packages and their versions, and its result holds no secret', { timeout: 150_000 }, async () => {
    const server = await pooledSupabase();
    onTestFinished(() => server.stop());
    const operator = await operatorOf(server);
    onTestFinished(() => operator.close());
    const home = temporaryFolder();
    const env = {
      SUPABASE_URL: server.url,
      SUPABASE_KEY: server.serviceKey,
      CASARE_HOME: home,
      CASARE_SECRET_API: 'hush-hush',
    };
    const robot = startCommand(['start'], { env });
    onTestFinished(() => robot.kill());
    await eventually('the robot starts', () => robot.lines.some((line) => line.startsWith('robot ')), {
      timeoutMs: 60_000,
    });
    const jobId = await operator.submit(
      chain('greet', [
        { id: 'set', type: 'SetVariableNode', config: { variable_name: 'token', value: 'Bearer {{$secret:api}}' } },
        { id: 'log', type: 'LogNode', config: { message: 'now {{token}}' } },
        { id: 'write', type: 'WriteFileNode', config: { file_path: 'out.txt', content: '{{token}}' } },
      ]),
    );
    const job = await operator.ended(jobId).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${robot.errors.join('\n')}`);
    });
    expect(job).toMatchObject({ status: 'completed', result: { variables: { token: '[redacted]' } } });
    expect((job.result as { library: string }).library).toMatch(/^@casare\/nodes@\d+\.\d+\.\d+/);
    expect(readFileSync(join(home, 'work', jobId, 'out.txt'), 'utf8')).toBe('Bearer hush-hush');
    expect([...robot.lines, ...robot.errors].join('\n')).not.toContain('hush-hush');
  });
});

describe('a secret', () => {
  const secret = 'pa55 "word"/ä';

  it('is resolved for the node that needs it, and shown nowhere', async () => {
    const where = place();
    mkdirSync(where.env.CASARE_HOME ?? '');
    writeFileSync(join(where.env.CASARE_HOME ?? '', 'secrets.json'), JSON.stringify({ crm: { password: secret } }), {
      mode: 0o600,
    });
    const workflow = chain('login', [
      { id: 'write', type: 'WriteFileNode', config: { file_path: 'out.txt', content: 'pw={{$secret:crm.password}}' } },
      { id: 'join', type: 'ConcatenateNode', config: { string_1: '{{$secret:crm.password}}', string_2: '!' } },
      { id: 'log', type: 'LogNode', config: { message: 'the password is {{join.result}}' } },
      { id: 'fail', type: 'ThrowErrorNode', config: { error_message: 'cannot log in with {{join.result}}' } },
    ]);
    const { exitCode, text, report } = await run(where, workflow);
    expect(exitCode).toBe(1);
    expect(readFileSync(join(where.work, 'out.txt'), 'utf8')).toBe(`pw=${secret}`);
    expect(report.error?.message).toContain('cannot log in with [redacted]');
    for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)])
      expect(text).not.toContain(form);
  });

  it('may be as short as a letter: reports lose it from their texts, and stay whole', async () => {
    const where = place();
    const log = { id: 'o', type: 'LogNode', config: { message: 'no {{$secret:pin}}', level: 'info' } };
    writeFileSync(join(where.work, 'flow.json'), chain('pin', [log]));
    const { stdout } = await runCommand(['run', 'flow.json', '--json'], {
      env: { ...where.env, CASARE_SECRET_PIN: 'o' },
      cwd: where.work,
    });
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'completed',
      logs: [{ level: 'info', node_id: 'o', message: 'n[redacted] [redacted]' }],
    });
  });

  it('that nobody has is named, with the places that were looked in', async () => {
    const where = place();
    const { report } = await run(
      where,
      chain('x', [{ id: 'log', type: 'LogNode', config: { message: '{{$secret:nope}}' } }]),
    );
    expect(report.error).toMatchObject({ code: 'SECRET_UNAVAILABLE' });
    expect(report.error?.message).toMatch(
      /"nope", which was looked for in the environment variable CASARE_SECRET_NOPE, then in the file /,
    );
  });
});
