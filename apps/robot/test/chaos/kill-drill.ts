/**
 * Jobs in several shapes, each of which loses its robot or its job process at all named points and once at random. The
 * robots are started again until the jobs have ended; what is in doubt is answered as an operator would who looks at the
 * server that counts: what has happened is passed over, what has not is done.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '@casare/execution';
import type { SupabaseServer } from '@casare/local-supabase';
import { armKill, eventually, killsLeft, seededRandom, type Victim } from '@casare/testing';
import { type Operator, operatorOf } from '../support/operator.ts';
import { violationsOf } from './check-effects.ts';
import { type CountingServer, startCountingServer } from './counting-server.ts';
import { type JobPlan, type PlannedKill, planAgain, planKills } from './kill-plan.ts';
import { killableRobot, type RestartedRobot, startRestartedRobot } from './restarted-robot.ts';
import type { Shape } from './shapes.ts';

export interface KillDrillOptions {
  readonly server: Pick<SupabaseServer, 'url' | 'serviceKey'>;
  /** An empty folder. */
  readonly folder: string;
  /** How many in all; see `kill-plan.ts`. */
  readonly kills: number;
  readonly seed: number;
  /** Robots side by side. */
  readonly robots: number;
  /** Jobs of a robot at the same time: one that is killed for one is killed for all, wherever the others are. */
  readonly jobsPerRobot: number;
}

export interface KillDrillReport {
  readonly jobs: number;
  /** Kills that ended a living process, by victim and point. */
  readonly kills: Readonly<Record<string, number>>;
  /** Of these, those for which a further job was started: the moment did not come, or the victim was gone already. */
  readonly struckInFurtherJobs: number;
  readonly effects: number;
  /** Questions that were answered, by answer. */
  readonly answers: Readonly<Record<string, number>>;
  readonly restarts: number;
  readonly violations: readonly string[];
}

/** A kill alone in its job strikes, unless the drill is wrong: more in a row are not worth the time. */
const furtherJobsPerKill = 3;

type AtRandom = Extract<PlannedKill, { readonly point: 'at-random' }>;

/** Patience, not a promise: each of the five kills costs a start, on a machine that has other things to do. */
const endLimitMs = 400_000;

export async function killDrill(options: KillDrillOptions): Promise<KillDrillReport> {
  const drill = new KillDrill(options, await operatorOf(options.server), await startCountingServer());
  try {
    return await drill.run();
  } finally {
    await drill.close();
  }
}

class KillDrill {
  readonly #options: KillDrillOptions;
  readonly #operator: Operator;
  readonly #counting: CountingServer;
  readonly #pointsFolder: string;
  readonly #robots: readonly RestartedRobot[];
  readonly #kills: Record<string, number> = {};
  readonly #answers: Record<string, number> = {};
  readonly #violations: string[] = [];
  /** Kills that wait for effects of a job, by its tag. */
  readonly #atRandom = new Map<string, AtRandom[]>();
  /** Those that have not struck in their job. */
  readonly #missed: PlannedKill[] = [];

  constructor(options: KillDrillOptions, operator: Operator, counting: CountingServer) {
    const { server, folder, robots, jobsPerRobot: jobs } = options;
    this.#options = options;
    this.#operator = operator;
    this.#counting = counting;
    const pointsFolder = join(folder, 'points');
    this.#pointsFolder = pointsFolder;
    mkdirSync(pointsFolder);
    counting.onEffect = ({ node }) => this.#killAtRandom(tagOf(node), node);
    this.#robots = Array.from({ length: robots }, (_unused, index) =>
      startRestartedRobot(killableRobot({ server, home: join(folder, `home-${index}`), pointsFolder, jobs })),
    );
  }

  async run(): Promise<KillDrillReport> {
    const { kills, seed, robots, jobsPerRobot } = this.#options;
    const { url } = this.#counting;
    const random = seededRandom(seed);
    const plans = planKills(kills, url, random);
    const left = [...plans];
    await Promise.all(
      Array.from({ length: robots * jobsPerRobot }, async () => {
        for (let plan = left.shift(); plan !== undefined; plan = left.shift()) await this.#job(plan);
      }),
    );
    const missed = this.#missed.length;
    let further = 0;
    while (further < missed * furtherJobsPerKill) {
      const kill = this.#missed.shift();
      if (kill === undefined) break;
      await this.#job(planAgain(kill, `m${further}`, url, random));
      further += 1;
    }
    for (const robot of this.#robots) this.#violations.push(...robot.crashes.map((crash) => `the robot ${crash}`));
    return {
      jobs: plans.length + further,
      kills: this.#kills,
      struckInFurtherJobs: missed - this.#missed.length,
      effects: this.#counting.effects.length,
      answers: this.#answers,
      restarts: this.#robots.reduce((sum, robot) => sum + robot.restarts, 0),
      violations: this.#violations,
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#robots.map((robot) => robot.stop()));
    await this.#operator.close();
    await this.#counting.close();
  }

  async #job(plan: JobPlan): Promise<void> {
    const { tag, shape, kills } = plan;
    this.#atRandom.set(tag, []);
    for (const kill of kills) this.#arm(tag, kill);
    const jobId = await this.#operator.submit(shape.workflow);
    try {
      const job = await this.#untilEnd(jobId, shape);
      await this.#check(plan, jobId, job);
    } catch (error) {
      this.#violations.push(`${tag}: ${String(error)}; it is ${JSON.stringify(await this.#operator.job(jobId))}`);
    }
    this.#missed.push(...(this.#atRandom.get(tag) ?? []));
    this.#atRandom.delete(tag);
  }

  #arm(tag: string, kill: PlannedKill): void {
    if (kill.point === 'at-random') this.#atRandom.get(tag)?.push(kill);
    else if (kill.point !== 'after-effect')
      armKill(this.#pointsFolder, kill.victim, kill.point, kill.node, kill.passes);
    else this.#counting.hold(kill.node, kill.passes, () => this.#strike(kill.victim, kill.node, kill.point));
  }

  #killAtRandom(tag: string, node: string): void {
    const waiting = this.#atRandom.get(tag) ?? [];
    for (const { victim, afterEffects, delayMs, point } of waiting.splice(0)) {
      if (afterEffects > 1) waiting.push({ point, victim, afterEffects: afterEffects - 1, delayMs });
      else setTimeout(() => this.#strike(victim, node, point), delayMs);
    }
  }

  /** A victim that another job's kill has just taken along is killed at the next effect instead. */
  #strike(victim: Victim, node: string, point: PlannedKill['point']): void {
    const [jobProcess, supervisor] = readFileSync(join(this.#pointsFolder, `${node}.pid`), 'utf8').split(' ');
    try {
      process.kill(Number(victim === 'supervisor' ? supervisor : jobProcess), 'SIGKILL');
      count(this.#kills, `${victim} ${point}`);
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ESRCH') throw error;
      const waiting = this.#atRandom.get(tagOf(node)) ?? this.#missed;
      waiting.push({ point: 'at-random', victim, afterEffects: 1, delayMs: 0 });
    }
  }

  #untilEnd(jobId: string, shape: Shape): Promise<JsonObject> {
    const answered = new Set<string>();
    const look = async (): Promise<JsonObject | null> => {
      const job = await this.#operator.job(jobId);
      if (job.status !== 'pending' && job.status !== 'running') return job;
      const questions = job.in_doubt as unknown as readonly Question[];
      if (hasTwoInOneBranch(shape, questions)) {
        this.#violations.push(`${shape.tag} more in doubt than one node per branch: ${JSON.stringify(questions)}`);
      }
      for (const question of questions) {
        const id = `${question.node_id} ${question.step} ${question.attempt}`;
        if (answered.has(id)) continue;
        if (await this.#answer(jobId, shape, question)) answered.add(id);
      }
      return null;
    };
    return eventually(`job ${jobId} ends`, look, { timeoutMs: endLimitMs, intervalMs: 200 });
  }

  /**
   * Looks at the server, not at the robot: a request more than there are results means that it has happened. Waits for a
   * history that has come to the question.
   *
   * @returns whether it was answered
   */
  async #answer(jobId: string, shape: Shape, { node_id: node, step, attempt }: Question): Promise<boolean> {
    const expected = shape.stages.flat(2).find((effect) => effect.node === node);
    if (expected?.kind !== 'post') this.#violations.push(`${node} (${expected?.kind}) cannot be in doubt`);
    const history = await this.#operator.gateway.getJobHistory(jobId);
    const isOfQuestion = ({ kind, payload }: (typeof history)[number]): boolean => {
      const { step: atStep, attempt: ofAttempt } = payload as JsonObject;
      return kind === 'node_in_doubt' && atStep === step && ofAttempt === attempt;
    };
    if (!history.some(isOfQuestion)) return false;
    const results = history.filter((event) => event.kind === 'node_completed' && event.node_id === node).length;
    const counted = this.#counting.of(shape.tag).filter((effect) => effect.node === node).length;
    const answer = counted > results ? 'skip' : 'retry';
    count(this.#answers, answer);
    const outcome = await this.#operator.gateway.resolveJob(jobId, answer, { nodeId: node, step });
    if (outcome !== 'answered') this.#violations.push(`an answer for ${node} met ${outcome}`);
    return true;
  }

  async #check({ tag, shape, kills }: JobPlan, jobId: string, job: JsonObject): Promise<void> {
    const complain = (problem: string): void => void this.#violations.push(`${tag} ${shape.name}: ${problem}`);
    const left = killsLeft(this.#pointsFolder).filter((name) => name.includes(`.${tag}-`));
    for (const kill of kills) {
      if (kill.point === 'after-effect' || kill.point === 'at-random') continue;
      const { victim, point, node } = kill;
      // A moment does not come again when another kill strikes at the same commit: a supervisor that dies right after it
      // tells no job process of it.
      if (left.includes(`${victim}.${point}.${node}`)) this.#missed.push(kill);
      else count(this.#kills, `${victim} ${point}`);
    }
    for (const problem of violationsOf(shape, this.#counting.of(shape.tag))) complain(problem);
    const attempts = job.attempts as unknown as readonly JsonObject[];
    if (job.status !== 'completed') complain(`it is ${String(job.status)}: ${JSON.stringify(job.error)}`);
    if (attempts.length !== 1 || attempts[0]?.outcome !== 'completed') complain(`attempts ${JSON.stringify(attempts)}`);
    const history = await this.#operator.gateway.getJobHistory(jobId);
    const ends = history.filter((event) => /^job_(completed|failed|cancelled)$/.test(String(event.kind)));
    if (ends.length !== 1) complain(`${ends.length} ends in its history`);
    const numbers = history.map((event) => Number(event.seq));
    if (numbers.some((seq, index) => seq <= (numbers[index - 1] ?? 0))) complain(`its history is out of order`);
    for (const { node, turns } of shape.targets) {
      const done = history.filter((event) => event.kind === 'node_completed' && event.node_id === node).length;
      if (done !== turns) complain(`the journal claims ${done} results of ${node}, of ${turns}`);
    }
  }
}

interface Question {
  readonly node_id: string;
  readonly step: number;
  readonly attempt?: number;
}

/** Stages follow each other, so that what is in doubt belongs to one of them. */
function hasTwoInOneBranch({ stages }: Shape, questions: readonly Question[]): boolean {
  const isAsked = ({ node }: { readonly node: string }): boolean => questions.some(({ node_id }) => node_id === node);
  const perStage = stages.map((lanes) => lanes.filter((lane) => lane.some(isAsked)).length);
  const asked = new Set(
    stages
      .flat(2)
      .filter(isAsked)
      .map(({ node }) => node),
  ).size;
  return questions.length > Math.max(...perStage) || asked > Math.max(...perStage);
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

function tagOf(node: string): string {
  return node.slice(0, node.indexOf('-'));
}
