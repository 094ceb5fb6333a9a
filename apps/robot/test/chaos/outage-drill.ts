/**
 * The database goes away under running jobs, in half of the rounds the robot is killed meanwhile, and the database comes
 * back. The jobs go on all the time: each has to do further effects before the outage may end.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PostgresSupabaseServer } from '@casare/local-supabase/postgres';
import { eventually, type SeededRandom, seededRandom } from '@casare/testing';
import { operatorOf } from '../support/operator.ts';
import { endProblems, resultsOf } from './check-ends.ts';
import { type CountingServer, startCountingServer } from './counting-server.ts';
import { endlessJob, turnProblems } from './endless-jobs.ts';
import { type Forwarder, startForwarder } from './forwarder.ts';
import { killableRobot, type RestartedRobot, startRestartedRobot } from './restarted-robot.ts';

export interface OutageDrillOptions {
  readonly server: PostgresSupabaseServer;
  /** An empty folder. */
  readonly folder: string;
  readonly rounds: number;
  readonly seed: number;
  /** An outage lasts from 5 s to this many seconds. */
  readonly longestSeconds: number;
  /** A return that takes longer to be dealt with is reported in detail. */
  readonly slowMs: number;
}

export interface OutageDrillReport {
  readonly effects: number;
  readonly effectsDuringOutages: number;
  /** The longest wait between two effects of a job during an outage without a kill, in ms. */
  readonly longestGapMs: number;
  /** From the first answer of the database to the last event delivered, per round, in ms. */
  readonly consistentAfterMs: readonly number[];
  /** How often the robot looked whether the database is back, from its first answer until the robot used it, per round. */
  readonly looksAtReturn: readonly number[];
  /** Of rounds that took longer than `slowMs`: what the robot asked for from just before the return on, in ms since then. */
  readonly slowRounds: readonly string[];
  readonly restarts: number;
  readonly violations: readonly string[];
}

const jobsPerRound = 3;
const effectsWithoutDatabase = 5;
const patience = { timeoutMs: 120_000, intervalMs: 25 };

export async function outageDrill(options: OutageDrillOptions): Promise<OutageDrillReport> {
  const { server, folder } = options;
  const pointsFolder = join(folder, 'points');
  mkdirSync(pointsFolder);
  const counting = await startCountingServer();
  const network = await startForwarder(server.url);
  const robot = startRestartedRobot(
    killableRobot({
      server: { url: network.url, serviceKey: server.serviceKey },
      home: join(folder, 'home'),
      pointsFolder,
      jobs: jobsPerRound,
    }),
  );
  const drill = new OutageDrill(options, { counting, network, robot });
  try {
    return await drill.run();
  } finally {
    await robot.stop();
    await network.cut();
    await counting.close();
  }
}

interface Job {
  readonly tag: string;
  readonly jobId: string;
}

interface Surroundings {
  readonly counting: CountingServer;
  readonly network: Forwarder;
  readonly robot: RestartedRobot;
}

class OutageDrill {
  readonly #options: OutageDrillOptions;
  readonly #parts: Surroundings;
  readonly #random: SeededRandom;
  readonly #consistentAfterMs: number[] = [];
  readonly #looksAtReturn: number[] = [];
  readonly #slowRounds: string[] = [];
  readonly #violations: string[] = [];
  #duringOutages = 0;
  #longestGapMs = 0;

  constructor(options: OutageDrillOptions, parts: Surroundings) {
    this.#options = options;
    this.#parts = parts;
    this.#random = seededRandom(options.seed);
  }

  async run(): Promise<OutageDrillReport> {
    const { counting, robot } = this.#parts;
    for (let round = 0; round < this.#options.rounds; round += 1) {
      try {
        await this.#round(round);
      } catch (error) {
        this.#violations.push(`round ${round}: ${String(error)}`);
        break;
      }
    }
    this.#violations.push(...robot.crashes.map((crash) => `the robot ${crash}`));
    return {
      effects: counting.effects.length,
      effectsDuringOutages: this.#duringOutages,
      longestGapMs: this.#longestGapMs,
      consistentAfterMs: this.#consistentAfterMs,
      looksAtReturn: this.#looksAtReturn,
      slowRounds: this.#slowRounds,
      restarts: robot.restarts,
      violations: this.#violations,
    };
  }

  async #round(round: number): Promise<void> {
    const { counting, robot } = this.#parts;
    const durationMs = 1_000 * (5 + this.#random.below(Math.max(1, this.#options.longestSeconds - 4)));
    const killsRobot = round % 2 === 1;
    const tags = Array.from({ length: jobsPerRound }, (_unused, index) => `o${round}x${index}`);
    let isOver = false;
    counting.hasMore = () => !isOver;
    const jobs = await this.#submit(tags);
    await this.#furtherEffects('the jobs run', tags, 3);

    const outage = await this.#begin(round);
    const beganAt = performance.now();
    if (killsRobot) robot.kill();
    await Promise.all([
      new Promise((resolve) => setTimeout(resolve, durationMs)),
      this.#furtherEffects('the jobs go on without the database', tags, effectsWithoutDatabase),
    ]);
    for (const tag of tags) this.#measure(tag, beganAt, !killsRobot);
    await outage.end();

    const backAt = performance.now();
    const owed = jobs.map(({ tag, jobId }) => ({ jobId, node: `${tag}-effect`, turns: counting.of(tag).length - 1 }));
    await eventually('all that happened meanwhile is known', () => this.#isKnown(owed), patience);
    const tookMs = Math.round(performance.now() - backAt);
    this.#consistentAfterMs.push(tookMs);
    this.#looksAtReturn.push(this.#looksSince(backAt));
    if (tookMs > this.#options.slowMs)
      this.#slowRounds.push(`round ${round}: ${this.#requestsAround(beganAt, backAt)}`);
    isOver = true;
    for (const job of jobs) await this.#check(job);
  }

  #looksSince(at: number): number {
    const since = this.#parts.network.requests.filter((request) => request.at >= at);
    const used = since.findIndex(({ name }) => name !== 'schema_version');
    return used < 0 ? since.length : used;
  }

  /** Looks that fail while the database is away are left out. */
  #requestsAround(beganAt: number, backAt: number): string {
    const { requests } = this.#parts.network;
    return requests
      .filter(({ name, at }) => at >= beganAt && (at >= backAt - 500 || name !== 'schema_version'))
      .map(({ name, at, answer }) => {
        const took = answer === null ? 'no answer' : `${answer.status} after ${Math.round(answer.at - at)}`;
        return `${Math.round(at - backAt)} ${name} ${took}`;
      })
      .join(', ');
  }

  async #submit(tags: readonly string[]): Promise<readonly Job[]> {
    const operator = await operatorOf(this.#options.server);
    const jobs: Job[] = [];
    for (const tag of tags) {
      jobs.push({ tag, jobId: await operator.submit(endlessJob(tag, this.#parts.counting.url)) });
    }
    await operator.close();
    return jobs;
  }

  /** Every other time the database is stopped behind PostgREST, which stays; else nothing can be reached. */
  async #begin(round: number): Promise<{ end(): Promise<void> }> {
    const { server } = this.#options;
    const { network } = this.#parts;
    if (round % 3 === 1) {
      await network.cut();
      return { end: () => network.mend() };
    }
    await server.stopDatabase();
    return {
      end: async () => {
        await server.startDatabase();
        await eventually('the database answers', () => answers(server), patience);
      },
    };
  }

  async #furtherEffects(what: string, tags: readonly string[], count: number): Promise<void> {
    const { counting } = this.#parts;
    const goals = tags.map((tag) => ({ tag, goal: counting.of(tag).length + count }));
    await eventually(what, () => goals.every(({ tag, goal }) => counting.of(tag).length >= goal), patience);
  }

  #measure(tag: string, beganAt: number, countsGap: boolean): void {
    const times = this.#parts.counting.of(tag).flatMap(({ at }) => (at >= beganAt ? [at] : []));
    this.#duringOutages += times.length;
    const gaps = [...times, performance.now()].map((at, index) => at - (times[index - 1] ?? beganAt));
    if (countsGap) this.#longestGapMs = Math.max(this.#longestGapMs, ...gaps.map(Math.round));
  }

  async #isKnown(owed: readonly { readonly jobId: string; readonly node: string; readonly turns: number }[]) {
    const { server } = this.#options;
    for (const { jobId, node, turns } of owed) {
      if ((await resultsOf(server, jobId, node)) < turns) return false;
      const [job] = await server.sql<{ steps: number }>(
        "select coalesce((progress ->> 'steps')::int, 0) as steps from jobs where id = $1",
        [jobId],
      );
      if ((job?.steps ?? 0) < turns) return false;
    }
    return true;
  }

  async #check({ tag, jobId }: Job): Promise<void> {
    const { server } = this.#options;
    const { counting } = this.#parts;
    const running = (): Promise<readonly unknown[]> =>
      server.sql("select 1 from jobs where id = $1 and status in ('pending', 'running')", [jobId]);
    await eventually(`${tag} ends`, async () => (await running()).length === 0, patience);
    const problems = [...(await endProblems(server, jobId)), ...turnProblems(tag, counting)];
    const results = await resultsOf(server, jobId, `${tag}-effect`);
    const turns = counting.of(tag).length;
    if (results !== turns) problems.push(`${turns} effects happened, and ${results} are in its history`);
    this.#violations.push(...problems.map((problem) => `${tag}: ${problem}`));
  }
}

async function answers({ url, serviceKey }: PostgresSupabaseServer): Promise<boolean> {
  const headers = { apikey: serviceKey, authorization: `Bearer ${serviceKey}`, 'content-type': 'application/json' };
  const answer = await fetch(`${url}/rest/v1/rpc/schema_version`, { method: 'POST', headers, body: '{}' });
  await answer.text();
  return answer.ok;
}
