import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readAuditLog } from '@casare/observability';
import { eventually } from '@casare/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { main } from '../src/cli/program.ts';
import type { Terminal } from '../src/cli/terminal.ts';
import { RobotAgent, RobotConfig } from '../src/index.ts';
import { startCommand } from './support/command.ts';
import { type Operator, operatorOf } from './support/operator.ts';
import { type PooledSupabase, pooledSupabase } from './support/pooled-supabase.ts';
import { temporaryFolder } from './support/robot-home.ts';
import { appendLine, chain } from './support/workflows.ts';

let server: PooledSupabase;
let operator: Operator;

beforeAll(async () => {
  server = await pooledSupabase();
  operator = await operatorOf(server);
});

afterAll(async () => {
  await operator.close();
  await server.stop();
});

/** A command in this process. */
async function run(...argv: string[]): Promise<{ exitCode: number; lines: string[]; notes: string[] }> {
  const lines: string[] = [];
  const notes: string[] = [];
  const terminal: Terminal = {
    print: (line) => void lines.push(line),
    note: (line) => void notes.push(line),
    status: () => undefined,
    isInteractive: false,
  };
  return { exitCode: await main(argv, terminal), lines, notes };
}

const job = (name: string): string => chain(name, [appendLine('one', 'steps.txt', '=1+1')]);

describe('the audit log of a robot', () => {
  it('is queried, exported and verified on the command line, beside the robot and against what the server holds', async () => {
    const home = temporaryFolder();
    const env = { SUPABASE_URL: server.url, SUPABASE_KEY: server.serviceKey, CASARE_HOME: home };
    const robot = startCommand(['start'], { env: { ...env, CASARE_JOB_EXECUTION_POLL_INTERVAL_MS: '100' } });
    onTestFinished(() => robot.kill());
    const jobId = await operator.submit(job('audited'));
    await operator.ended(jobId);

    const config = join(home, 'for-the-auditor.json');
    writeFileSync(config, JSON.stringify({ robot: { home }, connection: { url: server.url, key: server.serviceKey } }));
    const audit = (command: string, ...more: string[]) => run('audit', command, '--config', config, ...more);
    const query = await audit('query', '--job', jobId, '--format', 'jsonl');
    const entries = query.lines.map((line) => JSON.parse(line));
    expect(entries.map(({ type }) => type)).toEqual([
      'job.claimed',
      'job.started',
      ...Array(3).fill('node.completed'),
      'job.completed',
    ]);
    expect(new Set(entries.map(({ trace_id }) => trace_id))).toEqual(new Set([jobId.replaceAll('-', '')]));
    expect((await audit('query', '--job', jobId.slice(0, 8), '--format', 'jsonl')).lines).toEqual(query.lines);
    await expect(audit('query', '--job', 'ffff')).resolves.toMatchObject({
      exitCode: 1,
      notes: [expect.stringContaining('no entry of a job whose id begins with ffff')],
    });
    const live = await audit('verify');
    expect([live.exitCode, live.lines.at(-1)]).toEqual([0, 'ok']);
    robot.signal('SIGTERM');
    expect(await robot.ended).toBe(0);
    // Nothing was wrong, so nobody is told that something was.
    const warned = await audit('query', '--severity', 'warning');
    expect([warned.lines, robot.errors.filter((line) => line.includes('WARNING'))]).toEqual([[], []]);

    const anchorFile = join(home, 'anchors.json');
    const exported = await audit('anchors', '--output', anchorFile);
    expect([exported.exitCode, exported.notes]).toEqual([0, [expect.stringContaining('up to entry')]]);
    const table = join(home, 'audit.csv');
    await audit('export', '--format', 'csv', '--type', 'job.completed,robot.started', '--output', table);
    const rows = readFileSync(table, 'utf8').trim().split('\n');
    expect(rows.map((row) => row.split(',')[2])).toEqual(['type', 'robot.started', 'job.completed']);

    const copy = join(home, 'copy');
    cpSync(join(home, 'audit'), copy, { recursive: true });
    const verify = (...more: string[]) => run('audit', 'verify', '--dir', copy, ...more, '--anchor', anchorFile);
    expect(await verify()).toMatchObject({ exitCode: 0 });
    const [name = ''] = readdirSync(copy).filter((file) => file.endsWith('.jsonl'));
    const lines = readFileSync(join(copy, name), 'utf8').split('\n');
    writeFileSync(join(copy, name), `${lines.slice(0, 4).join('\n')}\n`);
    const cut = await verify();
    expect([cut.exitCode, cut.lines.at(-1)]).toEqual([
      1,
      expect.stringMatching(`${name}:4, entry \\d: the log ends with`),
    ]);
    expect(await verify('--public-key', join(home, 'robot.json'))).toMatchObject({ exitCode: 2 });
    expect(await run('audit', 'verify', '--dir', join(home, 'work'))).toMatchObject({ exitCode: 2 });
  });

  it.runIf(process.platform === 'linux')(
    'that cannot be written keeps the robot from taking jobs, until it can',
    async () => {
      const home = temporaryFolder();
      const auditDir = join(home, 'audit');
      mkdirSync(auditDir);
      const full = join(auditDir, `audit-${new Date().toISOString().slice(0, 10)}-000001.jsonl`);
      symlinkSync('/dev/full', full);
      const told: string[] = [];
      const robot = new RobotAgent(
        new RobotConfig({
          robot: { home },
          connection: { url: server.url, key: server.serviceKey },
          jobExecution: { pollIntervalMs: 100, heartbeatIntervalMs: 100, isolation: 'in-process' },
          observability: { auditDir, resourceMonitoringEnabled: false },
        }),
        { logger: { log: (level, message) => void told.push(`${level}: ${message}`) } },
      );
      await robot.start();
      onTestFinished(() => robot.stop({ mode: 'cancel' }));
      expect(told).toContainEqual(
        expect.stringMatching(/^warning: .*minFreeDiskMb and maxMemoryPercent are not checked/),
      );
      await eventually('the robot says so', () =>
        told.some((line) => /^warning: no new jobs are taken.*ENOSPC/.test(line)),
      );
      expect(robot.getStatus()).toMatchObject({
        audit: { canWrite: false },
        refusals: [expect.stringContaining('audit log')],
      });
      const jobId = await operator.submit(job('waits-for-its-record'));
      const seen = new Set<unknown>();
      await eventually('the robot has taken some turns', async () => {
        const [row] = await server.sql('select last_seen::text as at from robots where id = $1', [robot.robotId]);
        return seen.add(row?.at).size > 3;
      });
      expect(await operator.job(jobId)).toMatchObject({ status: 'pending' });
      expect(robot.getStatus().auditProblem).toContain('it is no regular file');

      rmSync(full);
      expect(await operator.ended(jobId)).toMatchObject({ status: 'completed' });
      const { entries } = await readAuditLog(auditDir);
      const types = entries.map(({ type }) => type);
      expect(types[0]).toBe('audit.entries_lost');
      expect(types).toContain('job.completed');
      expect(robot.getStatus().audit).toMatchObject({ canWrite: true });
      expect(told).toContain('info: nothing is in the way any more; new jobs are taken');
    },
  );
});
