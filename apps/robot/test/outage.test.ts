import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startEmbeddedSupabase } from '@casare/local-supabase';
import { eventually } from '@casare/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startCommand } from './support/command.ts';
import { operatorOf } from './support/operator.ts';
import { temporaryFolder } from './support/robot-home.ts';
import { appendLine, chain, wait } from './support/workflows.ts';

function robotOf(home: string, server: { readonly url: string; readonly serviceKey: string }) {
  const robot = startCommand(['start'], {
    env: {
      SUPABASE_URL: server.url,
      SUPABASE_KEY: server.serviceKey,
      CASARE_HOME: home,
      CASARE_JOB_EXECUTION_POLL_INTERVAL_MS: '100',
    },
  });
  onTestFinished(() => robot.kill());
  return robot;
}

describe('when the database goes away', () => {
  it.each([
    { name: 'the job goes on and its result arrives once the database is back', killMeanwhile: false },
    { name: 'a robot that is killed meanwhile resumes without it, and reports when it is back', killMeanwhile: true },
  ])('$name', async ({ killMeanwhile }) => {
    const home = temporaryFolder();
    const dataDir = temporaryFolder('casare-db-');
    const first = await startEmbeddedSupabase({ dataDir });
    onTestFinished(() => first.stop());
    const before = await operatorOf(first);
    const jobId = await before.submit(
      chain('through-an-outage', [
        appendLine('one', 'steps.txt', 'one'),
        wait('pause', 2),
        appendLine('two', 'steps.txt', 'two'),
      ]),
    );
    const robot = robotOf(home, first);
    const file = join(home, 'work', jobId, 'steps.txt');
    await eventually('the job has begun', () => existsSync(file), { timeoutMs: 20_000 });
    await before.close();
    await first.stop();
    if (killMeanwhile) {
      await robot.kill();
      robotOf(home, first);
    }
    await eventually('the job ends without the database', async () => (await readFile(file, 'utf8')).includes('two'), {
      timeoutMs: 20_000,
    });

    const second = await startEmbeddedSupabase({ dataDir });
    onTestFinished(() => second.stop());
    expect(second.url).toBe(first.url);
    const operator = await operatorOf(second);
    onTestFinished(() => operator.close());
    const job = await operator.ended(jobId);
    expect(job).toMatchObject({ status: 'completed', attempts: [{ attempt: 1, outcome: 'completed' }] });
    expect(await readFile(file, 'utf8')).toBe('one\ntwo\n');
    const history = await operator.gateway.getJobHistory(jobId);
    expect(history.map((event) => event.kind)).toEqual([
      'job_started',
      ...Array(5).fill('node_completed'),
      'job_completed',
    ]);
    expect(history.map((event) => event.seq)).toEqual([...history.keys()].map((index) => index + 1));
    expect(history.some((event) => event.superseded === true)).toBe(false);
  });
});
