/**
 * The local store reaches its limit while the database cannot be reached: events are dropped, steps wait, and the end
 * of a job is saved all the same. Then there is room again, from the one or the other side, and all jobs go on.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SupabaseServer } from '@casare/local-supabase';
import { eventually } from '@casare/testing';
import { type RunningCommand, runCommand, startCommand } from '../support/command.ts';
import { operatorOf } from '../support/operator.ts';
import { endProblems } from './check-ends.ts';
import { type CountingServer, startCountingServer } from './counting-server.ts';
import { endlessJob, turnProblems } from './endless-jobs.ts';
import { type Forwarder, startForwarder } from './forwarder.ts';
import { killableRobot } from './restarted-robot.ts';

export interface FullStoreDrillOptions {
  readonly server: SupabaseServer;
  /** An empty folder. */
  readonly folder: string;
  readonly rounds: number;
}

export interface FullStoreDrillReport {
  readonly effects: number;
  /** Effects that the job which was refused its steps did once there was room, in all rounds. */
  readonly effectsAfterwards: number;
  readonly violations: readonly string[];
}

const patience = { timeoutMs: 120_000, intervalMs: 25 };
const limitMb = 8;
const bytesPerTurn = 200_000;
/** More than the room that is left when a turn's bytes are refused: only the reserve can take it. */
const bytesOfEnd = 500_000;
/** Two jobs that end by themselves leave half of the limit behind. */
const turnsOfFillers = 10;
const furtherTurns = 3;

export async function fullStoreDrill(options: FullStoreDrillOptions): Promise<FullStoreDrillReport> {
  const { server, folder } = options;
  mkdirSync(join(folder, 'points'));
  const counting = await startCountingServer();
  const network = await startForwarder(server.url);
  const drill = new FullStoreDrill(options, counting, network);
  try {
    return await drill.run();
  } finally {
    await drill.close();
    await network.cut();
    await counting.close();
  }
}

class FullStoreDrill {
  readonly #options: FullStoreDrillOptions;
  readonly #counting: CountingServer;
  readonly #network: Forwarder;
  readonly #violations: string[] = [];
  #robot: RunningCommand | null = null;
  #effectsAfterwards = 0;

  constructor(options: FullStoreDrillOptions, counting: CountingServer, network: Forwarder) {
    this.#options = options;
    this.#counting = counting;
    this.#network = network;
  }

  async run(): Promise<FullStoreDrillReport> {
    for (let round = 0; round < this.#options.rounds; round += 1) {
      try {
        await this.#round(round);
      } catch (error) {
        this.#violations.push(`round ${round}: ${String(error)}; ${this.#robot?.errors.slice(-5).join(' | ')}`);
        break;
      }
    }
    const { length } = this.#counting.effects;
    return { effects: length, effectsAfterwards: this.#effectsAfterwards, violations: this.#violations };
  }

  async close(): Promise<void> {
    await this.#robot?.kill();
  }

  async #round(round: number): Promise<void> {
    const counting = this.#counting;
    this.#robot ??= this.#start(limitMb);
    const robot = this.#robot;
    const tag = (name: string): string => `f${round}${name}`;
    let isOver = false;
    counting.hasMore = (asking) => {
      if (asking === tag('hog')) return !isOver;
      return counting.of(`${asking}-`).length < turnsOfFillers;
    };
    let reply: (body: string) => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      counting.hold(tag('last'), 0, (answer) => {
        reply = answer;
        resolve();
      });
    });
    const endless = [tag('one'), tag('two'), tag('hog')].map((name) => endlessJob(name, counting.url, bytesPerTurn));
    const jobIds = await this.#submit([...endless, oneEffect(tag('last'), counting.url)]);
    await Promise.all([held, this.#effects(tag('hog'), 1)]);

    await this.#network.cut();
    await eventually('the store is full', () => robot.errors.some((line) => line.includes('is suspended')), patience);
    reply('x'.repeat(bytesOfEnd));
    const lastId = jobIds.at(-1) ?? '';
    await eventually('the end of a job is saved from the reserve', async () => !(await this.#runs(lastId)), patience);
    const refusals = robot.errors.filter((line) => line.includes('is suspended') && line.includes(lastId));
    if (refusals.length > 0) this.#violations.push(`round ${round}: the end was refused: ${refusals.join(' | ')}`);

    const before = counting.of(tag('hog')).length;
    if (round % 2 === 0) await this.#network.mend();
    else await this.#raiseLimit();
    await this.#effects(tag('hog'), before + furtherTurns);
    this.#effectsAfterwards += counting.of(tag('hog')).length - before;
    isOver = true;
    if (round % 2 === 1) await this.#network.mend();
    for (const [index, jobId] of jobIds.entries()) {
      await this.#untilEnd(jobId);
      const name = ['one', 'two', 'hog', 'last'][index] ?? '';
      const problems = [...(await endProblems(this.#options.server, jobId, 'partial'))];
      if (name === 'last') problems.push(...this.#lastProblems(tag('last')));
      else problems.push(...turnProblems(tag(name), counting));
      this.#violations.push(...problems.map((problem) => `round ${round}, ${name}: ${problem}`));
    }
    if (robot === this.#robot && robot.child.exitCode !== null) this.#violations.push(`round ${round}: a crash`);
    if (round % 2 === 1) await this.#stop();
  }

  #lastProblems(node: string): readonly string[] {
    const count = this.#counting.of(node).length;
    return count === 1 ? [] : [`its effect happened ${count} times`];
  }

  /** The robot is killed while its store is full, and started again without the database. */
  async #raiseLimit(): Promise<void> {
    await this.#stop();
    this.#robot = this.#start(limitMb * 8);
  }

  async #stop(): Promise<void> {
    await this.#robot?.kill();
    this.#robot = null;
  }

  #start(storeLimitMb: number): RunningCommand {
    const { server, folder } = this.#options;
    const { env, ...options } = killableRobot({
      server: { url: this.#network.url, serviceKey: server.serviceKey },
      home: join(folder, 'home'),
      pointsFolder: join(folder, 'points'),
      jobs: 4,
      env: { CASARE_JOB_EXECUTION_STORE_LIMIT_MB: String(storeLimitMb) },
    });
    return startCommand(['start'], { ...options, ...(env === undefined ? {} : { env }) });
  }

  async #submit(workflows: readonly string[]): Promise<readonly string[]> {
    const operator = await operatorOf(this.#options.server);
    const jobIds: string[] = [];
    for (const workflow of workflows) jobIds.push(await operator.submit(workflow));
    await operator.close();
    return jobIds;
  }

  async #effects(tag: string, count: number): Promise<void> {
    await eventually(`${tag} has done ${count}`, () => this.#counting.of(tag).length >= count, patience);
  }

  async #runs(jobId: string): Promise<boolean> {
    const env = { CASARE_HOME: join(this.#options.folder, 'home') };
    const { stdout } = await runCommand(['status', '--json'], { env });
    const { running } = JSON.parse(stdout) as { running: readonly { job_id: string }[] };
    return running.some(({ job_id }) => job_id === jobId);
  }

  async #untilEnd(jobId: string): Promise<void> {
    const rows = (): Promise<readonly unknown[]> =>
      this.#options.server.sql("select 1 from jobs where id = $1 and status in ('pending', 'running')", [jobId]);
    await eventually(`job ${jobId} ends`, async () => (await rows()).length === 0, patience);
  }
}

/** One effect that nobody can look for, and nothing behind it: its result and the job's end are one commit. */
function oneEffect(tag: string, url: string): string {
  return JSON.stringify({
    metadata: { name: tag, description: '', author: 'test', version: '1.0.0', tags: [] },
    nodes: {
      [tag]: {
        node_id: tag,
        node_type: 'HttpRequestNode',
        config: { url: `${url}/${tag}`, method: 'POST', timeout: 300 },
        position: [0, 0],
      },
    },
    connections: [],
    variables: {},
    settings: { stop_on_error: true, timeout: 30, retry_count: 0 },
  });
}
