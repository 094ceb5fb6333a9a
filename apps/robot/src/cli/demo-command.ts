/**
 * `casare-robot demo`: an embedded Supabase, a robot in a process of its own, and the example workflows.
 * Half-way through the first one the robot is killed with SIGKILL and started again, to show that it
 * goes on where it was.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, RobotConfig } from '@casare/config';
import { type JsonObject, systemClock } from '@casare/execution';
import { findBrowser } from '@casare/nodes';
import { type DemoJob, DemoWatch, isOver, percentOf } from './demo-watch.ts';
import { examplePath } from './example-files.ts';
import { exitCodes } from './exit-codes.ts';
import { importLocalSupabase } from './local-command.ts';
import { connectOperator } from './operator-connection.ts';
import { servePage } from './page-server.ts';
import { type RobotProcess, startRobotProcess } from './robot-process.ts';
import type { Terminal } from './terminal.ts';

/** The robot is killed once the first job is this far (percent). */
const killAtPercent = 40;

export async function demoCommand(terminal: Terminal): Promise<number> {
  const home = await mkdtemp(join(tmpdir(), 'casare-demo-'));
  const undo: (() => Promise<void>)[] = [() => rm(home, { recursive: true, force: true })];
  try {
    const passed = await playDemo(home, terminal, undo);
    return passed ? exitCodes.ok : exitCodes.failed;
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

async function playDemo(home: string, terminal: Terminal, undo: (() => Promise<void>)[]): Promise<boolean> {
  terminal.print('Starting an embedded Supabase ...');
  const { startEmbeddedSupabase } = await importLocalSupabase();
  const server = await startEmbeddedSupabase({});
  undo.push(() => server.stop());
  terminal.print(`Supabase answers at ${server.url}`);

  const config = new RobotConfig({ connection: { url: server.url, key: server.serviceKey } });
  const operator = await connectOperator(config, { isEmbedded: true });
  undo.push(() => operator.close());
  const { gateway } = operator;
  const page = await servePage(examplePath('pages/form.html'));
  undo.push(() => page.close());

  let robot: RobotProcess | null = null;
  undo.push(async () => robot?.stop());
  const startRobot = async (): Promise<void> => {
    robot = await startRobotProcess({
      SUPABASE_URL: server.url,
      SUPABASE_KEY: server.serviceKey,
      CASARE_HOME: home,
      CASARE_ROBOT_NAME: 'demo-robot',
      CASARE_PERMISSIONS_ALLOW_NET: new URL(page.url).host,
    });
  };

  const watched = new DemoWatch({ getJob: (jobId) => gateway.getJob(jobId), terminal, clock: systemClock });
  const submit = async (label: string, expected: DemoJob['expected'], variables: JsonObject = {}): Promise<DemoJob> => {
    const workflow = await readFile(examplePath(`${label}.json`), 'utf8');
    const jobId = await gateway.enqueueJob({ workflow, variables, name: label });
    terminal.print(`submitted  ${label.padEnd(14)} as job ${jobId}`);
    return { label, jobId, expected };
  };

  const orders = await submit('orders', 'completed');
  const failing = await submit('failing', 'failed');
  await startRobot();
  await watched.until([orders, failing], (jobs) => percentOf(jobs.get(orders.jobId)) >= killAtPercent);
  await (robot as RobotProcess | null)?.kill();
  terminal.print('killed     the robot, with SIGKILL, in the middle of "orders"; starting it again');
  await startRobot();

  const { executablePath } = loadConfig().config.browser;
  const browser = await findBrowser({ executablePath: executablePath ?? undefined });
  const jobs = [orders, failing];
  if (browser === null)
    terminal.print('skipped    "browser-form": no Chrome, Edge or Chromium was found on this machine');
  else jobs.push(await submit('browser-form', 'completed', { page_url: page.url }));
  const ended = await watched.until(jobs, (states) => jobs.every(({ jobId }) => isOver(states.get(jobId))));
  const asExpected = summarize(jobs, ended, terminal);
  return (await checkReport(join(home, 'work', orders.jobId), terminal)) && asExpected;
}

function summarize(jobs: readonly DemoJob[], states: ReadonlyMap<string, JsonObject>, terminal: Terminal): boolean {
  let passed = true;
  terminal.print('');
  terminal.print(
    `${'workflow'.padEnd(14)} ${'status'.padEnd(10)} ${'executed'.padStart(8)} ${'seconds'.padStart(8)}  result`,
  );
  for (const job of jobs) {
    const state = states.get(job.jobId) ?? {};
    const result = (state.result ?? {}) as JsonObject;
    const error = state.error as JsonObject | null | undefined;
    const asExpected = state.status === job.expected;
    passed &&= asExpected;
    const nodes = `${String(result.nodes_executed ?? '?')}/${String(result.nodes_total ?? '?')}`;
    const seconds = (Number(result.duration_ms ?? 0) / 1_000).toFixed(1);
    const text = error == null ? 'ok' : `${String(error.message)} (node ${String(error.node_id)})`;
    const verdict = asExpected ? (job.expected === 'failed' ? `as intended: ${text}` : text) : `unexpected: ${text}`;
    terminal.print(
      `${job.label.padEnd(14)} ${String(state.status).padEnd(10)} ${nodes.padStart(8)} ${seconds.padStart(8)}  ${verdict}`,
    );
  }
  return passed;
}

/** The report that the killed robot was writing: a heading and six orders, none missing and none twice. */
async function checkReport(workDir: string, terminal: Terminal): Promise<boolean> {
  const lines = (await readFile(join(workDir, 'orders-report.csv'), 'utf8')).trim().split('\n');
  const orders = lines.slice(1).map((line) => line.split(';')[0]);
  const once = orders.length === 6 && new Set(orders).size === 6;
  terminal.print('');
  terminal.print(
    once
      ? 'The report of "orders" has a line for each of its six orders, each once: the kill lost nothing and repeated nothing.'
      : `The report of "orders" should have six orders, each once, but has: ${orders.join(', ')}`,
  );
  return once;
}
