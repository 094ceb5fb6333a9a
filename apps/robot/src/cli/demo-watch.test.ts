import type { JsonObject } from '@casare/execution';
import { eventually, ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { type DemoJob, DemoWatch } from './demo-watch.ts';
import { exitCodes } from './exit-codes.ts';

const jobs: readonly DemoJob[] = [
  { label: 'orders', jobId: 'a', expected: 'completed' },
  { label: 'failing', jobId: 'b', expected: 'failed' },
];

function setup() {
  const clock = new ManualClock();
  const orders = { status: 'running', progress: { percent: 0, current_node: 'each_order' } };
  const states: Record<string, JsonObject> = { a: orders, b: { status: 'pending' } };
  const lines: string[] = [];
  const terminal = { print: (line: string) => void lines.push(line) };
  const watch = new DemoWatch({ getJob: async (jobId) => states[jobId] ?? null, terminal, clock });
  const sleeps = (): Promise<unknown> => eventually('it waits', () => clock.sleeping > 0);
  return { clock, orders, states, lines, watch, sleeps };
}

describe('the demo', () => {
  it('goes on as long as something changes, however long that takes', async () => {
    const { clock, orders, states, watch, sleeps } = setup();
    const end = watch.until(jobs, () => false);
    for (let percent = 10; percent <= 90; percent += 10) {
      await sleeps();
      orders.progress.percent = percent;
      await clock.advance(50_000);
    }
    await sleeps();
    states.a = { status: 'completed' };
    states.b = { status: 'failed' };
    await clock.advance(50_000);
    expect((await end).get('a')).toEqual({ status: 'completed' });
  });

  it('gives up when nothing changes for a minute, and says how far each job is', async () => {
    const { clock, watch, sleeps } = setup();
    const end = watch.until(jobs, () => false).catch((error: unknown) => error);
    await sleeps();
    await clock.advance(60_000);
    const refusal = await end;
    expect(refusal).toMatchObject({ exitCode: exitCodes.unavailable });
    expect(String(refusal)).toMatch(
      /nothing has changed for 1 m 0 s.*\n {2}orders: running, 0% at each_order\n {2}failing: pending; no robot/,
    );
  });
});
