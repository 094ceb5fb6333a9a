/**
 * Jobs in several shapes, each of which loses its robot or its job process at all named points and once at random. The
 * robot is started again until they have ended; what is in doubt is answered as an operator would who looks at the
 * server that counts: what has happened is passed over, what has not is done.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '@casare/execution';
import type { SupabaseServer } from '@casare/local-supabase';
import { armKill, eventually, killsLeft, type SeededRandom, seededRandom, type Victim } from '@casare/testing';
import { type Operator, operatorOf } from '../support/operator.ts';
import { violationsOf } from './check-effects.ts';
import { type CountingServer, startCountingServer } from './counting-server.ts';
import { killableRobot, type RestartedRobot, startRestartedRobot } from './restarted-robot.ts';
import { buildShape, type Shape, shapeNames } from './shapes.ts';

export interface KillDrillOptions {
  readonly server: Pick<SupabaseServer, 'url' | 'serviceKey'>;
  /** An empty folder. */
  readonly folder: string;
  /** Jobs; each is killed once at each of the four named points, and once at random. */
  readonly rounds: number;
  readonly seed: number;
  /** Jobs at the same time: a robot that is killed for one is killed for all, wherever the others are. */
  readonly atOnce: number;
}

export interface KillDrillReport {
  /** Kills that struck, by victim and point. */
  readonly kills: Readonly<Record<string, number>>;
  readonly effects: number;
  /** Questions that were answered, by answer. */
  readonly answers: Readonly<Record<string, number>>;
  readonly restarts: number;
  readonly violations: readonly string[];
}

const points = ['before-intent', 'after-intent', 'after-effect', 'after-result'] as const;
const endLimitMs = 180_000;

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
  readonly #random: SeededRandom;
  readonly #pointsFolder: string;
  readonly #robot: RestartedRobot;
  readonly #kills: Record<string, number> = {};
  readonly #answers: Record<string, number> = {};
  readonly #violations: string[] = [];
  /** What to do when a job's effect is counted, by the tag of the job. */
  readonly #onEffect = new Map<string, () => void>();

  constructor(options: KillDrillOptions, operator: Operator, counting: CountingServer) {
    this.#options = options;
    this.#operator = operator;
    this.#counting = counting;
    this.#random = seededRandom(options.seed);
    this.#pointsFolder = join(options.folder, 'points');
    mkdirSync(this.#pointsFolder);
    counting.onEffect = ({ node }) => this.#onEffect.get(tagOf(node))?.();
    this.#robot = startRestartedRobot(
      killableRobot({
        server: options.server,
        home: join(options.folder, 'home'),
        pointsFolder: this.#pointsFolder,
        jobs: options.atOnce,
      }),
    );
  }

  async run(): Promise<KillDrillReport> {
    const rounds = [...Array(this.#options.rounds).keys()];
    const plans = rounds.map((round) => this.#plan(round));
    await Promise.all(
      Array.from({ length: this.#options.atOnce }, async () => {
        for (let plan = plans.shift(); plan !== undefined; plan = plans.shift()) await this.#round(plan);
      }),
    );
    this.#violations.push(...this.#robot.crashes.map((crash) => `the robot ${crash}`));
    return {
      kills: this.#kills,
      effects: this.#counting.effects.length,
      answers: this.#answers,
      restarts: this.#robot.restarts,
      violations: this.#violations,
    };
  }

  async close(): Promise<void> {
    await this.#robot.stop();
    await this.#operator.close();
    await this.#counting.close();
  }

  /** All that chance decides is decided here, in the order of the rounds, so that a seed says what happens. */
  #plan(round: number): RoundPlan {
    const tag = `r${round}`;
    const name = shapeNames[round % shapeNames.length] ?? 'line';
    const shape = buildShape(name, tag, this.#counting.url, this.#random);
    const victims = shuffled<Victim>(['supervisor', 'supervisor', 'job-process', 'job-process'], this.#random);
    const kills = points.map((point, index) => {
      const { node, turns } = this.#random.pick(shape.targets);
      return { point, victim: victims[index] ?? 'supervisor', node, passes: this.#random.below(turns) };
    });
    const atRandom = { afterEffects: 1 + this.#random.below(4), delayMs: this.#random.below(60) };
    return { tag, shape, kills, atRandom };
  }

  async #round(plan: RoundPlan): Promise<void> {
    const { tag, shape, kills, atRandom } = plan;
    for (const { point, victim, node, passes } of kills) {
      if (point !== 'after-effect') armKill(this.#pointsFolder, victim, point, node, passes);
      else this.#counting.hold(node, passes, () => this.#kill(victim, node, 'after-effect'));
    }
    let { afterEffects } = atRandom;
    this.#onEffect.set(tag, () => {
      afterEffects -= 1;
      if (afterEffects === 0) setTimeout(() => this.#kill('supervisor', '', 'at-random'), atRandom.delayMs);
    });
    const jobId = await this.#operator.submit(shape.workflow);
    try {
      const job = await this.#untilEnd(jobId, shape);
      await this.#check(plan, jobId, job);
    } catch (error) {
      this.#violations.push(`${tag}: ${String(error)}; it is ${JSON.stringify(await this.#operator.job(jobId))}`);
    }
  }

  #kill(victim: Victim, node: string, point: string): void {
    this.#count(this.#kills, `${victim} ${point}`);
    if (victim === 'supervisor') {
      this.#robot.kill();
      return;
    }
    try {
      process.kill(Number(readFileSync(join(this.#pointsFolder, `${node}.pid`), 'utf8')), 'SIGKILL');
    } catch (error) {
      // Another job's kill of the supervisor was quicker, and took this process along.
      if ((error as { code?: unknown }).code !== 'ESRCH') throw error;
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
        answered.add(id);
        await this.#answer(jobId, shape, question);
      }
      return null;
    };
    return eventually(`job ${jobId} ends`, look, { timeoutMs: endLimitMs, intervalMs: 200 });
  }

  /** Looks at the server, not at the robot: a request more than there are results means that it has happened. */
  async #answer(jobId: string, shape: Shape, { node_id: node, step }: Question): Promise<void> {
    const expected = shape.stages.flat(2).find((effect) => effect.node === node);
    if (expected?.kind !== 'post') this.#violations.push(`${node} (${expected?.kind}) cannot be in doubt`);
    const history = await this.#operator.gateway.getJobHistory(jobId);
    const results = history.filter((event) => event.kind === 'node_completed' && event.node_id === node).length;
    const counted = this.#counting.of(shape.tag).filter((effect) => effect.node === node).length;
    const answer = counted > results ? 'skip' : 'retry';
    this.#count(this.#answers, answer);
    const outcome = await this.#operator.gateway.resolveJob(jobId, answer, { nodeId: node, step });
    if (outcome !== 'answered') this.#violations.push(`an answer for ${node} met ${outcome}`);
  }

  async #check({ tag, shape, kills }: RoundPlan, jobId: string, job: JsonObject): Promise<void> {
    const complain = (problem: string): void => void this.#violations.push(`${tag} ${shape.name}: ${problem}`);
    const left = killsLeft(this.#pointsFolder).filter((name) => name.includes(`.${tag}-`));
    if (left.length > 0) complain(`kills that did not strike: ${left.join(', ')}`);
    for (const { victim, point, node } of kills) {
      if (point === 'after-effect' || left.includes(`${victim}.${point}.${node}`)) continue;
      this.#count(this.#kills, `${victim} ${point}`);
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

  #count(counts: Record<string, number>, name: string): void {
    counts[name] = (counts[name] ?? 0) + 1;
  }
}

interface RoundPlan {
  readonly tag: string;
  readonly shape: Shape;
  readonly kills: readonly {
    readonly point: (typeof points)[number];
    readonly victim: Victim;
    readonly node: string;
    readonly passes: number;
  }[];
  /** Counted from the job's own effects. */
  readonly atRandom: { readonly afterEffects: number; readonly delayMs: number };
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

function tagOf(node: string): string {
  return node.slice(0, node.indexOf('-'));
}

function shuffled<T>(items: readonly T[], random: SeededRandom): T[] {
  const left = [...items];
  return items.map(() => left.splice(random.below(left.length), 1)[0] as T);
}
