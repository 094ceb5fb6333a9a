/** Ten jobs at once, each in a process of its own: whatever is recorded of one is recorded as its own. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { readAuditLog, readLog } from '@casare/observability';
import { eventually } from '@casare/testing';
import { expect, it, onTestFinished } from 'vitest';
import { runCommand, startCommand } from './support/command.ts';
import { operatorOf } from './support/operator.ts';
import { pooledSupabase } from './support/pooled-supabase.ts';
import { temporaryFolder } from './support/robot-home.ts';
import { chain } from './support/workflows.ts';

const jobCount = 10;
const markOf = (n: number): string => `mark-${String(n).padStart(2, '0')}-of-its-own`;

it('keeps the lines, entries and rows of ten jobs apart', async () => {
  const home = temporaryFolder();
  const server = await pooledSupabase();
  onTestFinished(() => server.stop());
  const operator = await operatorOf(server);
  onTestFinished(() => operator.close());
  const gate = await openGate();
  const ids = await Promise.all(Array.from({ length: jobCount }, (_, n) => operator.submit(gated(n, gate.url))));
  writeFileSync(
    join(home, 'config.json'),
    JSON.stringify({
      jobExecution: { maxConcurrentJobs: jobCount, pollIntervalMs: 100, progressIntervalMs: 50 },
      permissions: { allowNet: ['127.0.0.0/8'] },
    }),
  );
  const env = { CASARE_HOME: home, SUPABASE_URL: server.url, SUPABASE_KEY: server.serviceKey };
  const robot = startCommand(['start'], { env });
  onTestFinished(() => robot.kill());
  const path = join(home, 'logs', 'robot.log');
  await eventually(
    'all ten run side by side',
    async () => (await readLog(path)).filter(({ message }) => message.startsWith('first mark')).length === jobCount,
    { timeoutMs: 100_000, intervalMs: 200 },
  );
  gate.open();
  for (const jobId of ids) await operator.ended(jobId);
  const outgoing = join(home, 'logs', 'outgoing');
  await eventually('every line has been delivered', () => !existsSync(outgoing) || readdirSync(outgoing).length === 0, {
    timeoutMs: 30_000,
  });

  const rows = async (table: string): Promise<readonly Recorded[]> =>
    (await server.sql<{ row: Record<string, unknown> }>(`select to_jsonb(t) as row from ${table} t`)).map(
      ({ row }) => ({
        jobId: String(table === 'jobs' ? row.id : row.job_id),
        text: JSON.stringify(row),
      }),
    );
  const recorded = {
    'log lines': (await readLog(path)).map((line) => ({
      jobId: String(line.fields.job_id ?? ''),
      text: JSON.stringify(line),
    })),
    'audit entries': (await readAuditLog(join(home, 'audit'), { limit: 100_000 })).entries.map((entry) => ({
      jobId: String(entry.job_id ?? ''),
      text: JSON.stringify(entry),
    })),
    'job_logs rows': await rows('job_logs'),
    'job_history rows': await rows('job_history'),
    'jobs rows': await rows('jobs'),
  };
  for (const [what, entries] of Object.entries(recorded)) {
    for (const [n, jobId] of ids.entries()) {
      const mine = entries.filter(({ text }) => text.includes(markOf(n)));
      expect(mine.length, `${what} of job ${n}`).toBeGreaterThan(0);
      expect(
        mine.filter((entry) => entry.jobId !== jobId),
        `${what} of job ${n}`,
      ).toEqual([]);
    }
  }

  const [jobId = ''] = ids;
  const shown = await runCommand(['job', 'logs', jobId.slice(0, 13)], { env });
  expect(shown.stdout, shown.stderr).toMatch(/claimed job.*first mark-00.*failed: failed mark-00/s);
  expect(shown.stdout).not.toContain('missing');
  const own = await runCommand(['logs', '--job', jobId, '--level', 'warning', '--json'], { env });
  const lines = own.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { fields: { node_id?: string } });
  expect(lines.at(-1)).toMatchObject({
    level: 'warning',
    message: expect.stringContaining('failed mark-00'),
    fields: { job_id: jobId, node_id: `fail-${markOf(0)}` },
  });
  expect(readFileSync(path, 'utf8')).not.toContain(server.serviceKey);

  const [, completed = ''] = ids;
  const bundle = (id: string, where = home) =>
    runCommand(['job', 'bundle', id], { env: { ...env, CASARE_HOME: where } });
  expect(await bundle(completed)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('only failed jobs') });
  const elsewhere = await bundle(jobId, temporaryFolder());
  expect(elsewhere).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/the robot .* has it; run/) });
  rmSync(join(home, 'bundles', jobId, 'bundle.json'));
  const damaged = await bundle(jobId);
  expect(damaged).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('bundle.json is missing') });
  expect(damaged.stdout).toContain('nodes.json');
  rmSync(join(home, 'bundles', jobId), { recursive: true });
  expect(await bundle(jobId)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('removed since') });
});

interface Recorded {
  readonly jobId: string;
  readonly text: string;
}

function gated(n: number, gate: string): string {
  const mark = markOf(n);
  const end =
    n % 2 === 0
      ? { id: `fail-${mark}`, type: 'ThrowErrorNode', config: { error_message: `failed ${mark}` } }
      : { id: `last-${mark}`, type: 'LogNode', config: { message: `second ${mark}` } };
  return chain(`job ${mark}`, [
    { id: `say-${mark}`, type: 'LogNode', config: { message: `first ${mark}` } },
    { id: `gate-${mark}`, type: 'HttpRequestNode', config: { url: gate } },
    end,
  ]);
}

/** A server that answers nobody before it is opened, so that the database can be stopped while all jobs run. */
async function openGate(): Promise<{ readonly url: string; open(): void }> {
  const waiting: ServerResponse[] = [];
  let isOpen = false;
  const server = createServer((_request, response) => {
    if (isOpen) response.end('through');
    else waiting.push(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    open: () => {
      isOpen = true;
      for (const response of waiting) response.end('through');
    },
  };
}
