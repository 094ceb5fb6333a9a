/**
 * What an idle robot asks of its server: the requests of a real robot, with its default settings, against a real
 * embedded Supabase without Realtime, counted on their way.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RobotAgent, RobotConfig } from '../apps/robot/src/index.ts';
import { startForwarder } from '../apps/robot/test/chaos/forwarder.ts';
import { startEmbeddedSupabase } from '../packages/local-supabase/src/index.ts';
import { eventually } from '../packages/testing/src/eventually.ts';
import { printSettings } from './settings.ts';

const SECONDS = Number(process.env.BENCH_SECONDS ?? 60);

const home = await mkdtemp(join(tmpdir(), 'idle-bench-'));
const server = await startEmbeddedSupabase({});
const network = await startForwarder(server.url);
const config = new RobotConfig({
  robot: { home, name: 'idle' },
  connection: { url: network.url, key: server.serviceKey },
  observability: { logLevel: 'critical' },
});
const robot = new RobotAgent(config);
try {
  printSettings({ seconds: SECONDS, 'poll interval': `${config.jobExecution.pollIntervalMs} ms` });
  await robot.start();
  await eventually('the robot has asked for jobs', () => network.requests.some(({ name }) => name === 'robot_turn'), {
    timeoutMs: 60_000,
  });
  const from = performance.now() + 1_000;
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1_000 + 1_000));
  const counts = new Map<string, number>();
  const counted = network.requests.filter(({ at }) => at >= from && at < from + SECONDS * 1_000);
  for (const { name } of counted) counts.set(name, (counts.get(name) ?? 0) + 1);
  const perMinute = (count: number): string => ((count * 60) / SECONDS).toFixed(1);
  for (const [name, count] of counts) console.log(`${name.padEnd(24)} ${perMinute(count).padStart(6)} a minute`);
  console.log(`${'all'.padEnd(24)} ${perMinute(counted.length).padStart(6)} a minute`);
} finally {
  await robot.stop();
  await network.cut();
  await server.stop();
  await rm(home, { recursive: true, force: true });
}
