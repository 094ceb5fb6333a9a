/** What each job on this robot does at the moment: the nodes that run, since when, and the last ones that ended. */
import type { Clock } from '@casare/execution';
import type { RunningStep } from '@casare/observability';

export interface RunningNode {
  readonly nodeId: string;
  readonly nodeType: string;
  readonly attempt: number;
  readonly runningForMs: number;
  /** Time limit of this attempt; null: none. */
  readonly limitMs: number | null;
}

export interface EndedNode {
  readonly nodeId: string;
  readonly nodeType: string;
  readonly durationMs: number;
  readonly success: boolean;
  /** An operator's answer, or the policy, passed over it: it neither completed nor failed. */
  readonly isSkipped: boolean;
}

export interface JobActivityView {
  readonly running: readonly RunningNode[];
  /** The newest last. */
  readonly ended: readonly EndedNode[];
}

export interface StartedNode {
  readonly step: number;
  readonly nodeId: string;
  readonly nodeType: string;
  readonly attempt: number;
  readonly limitMs: number | null;
}

interface JobNodes {
  readonly running: Map<number, StartedNode & { readonly startedAt: number }>;
  readonly ended: EndedNode[];
  /** Monotonic ms of the last thing that happened. */
  changedAt: number;
}

/** Shown at most, of each kind (I7). */
const maxNodes = 20;
/** A run that is between two nodes for longer than this stands still: a commit, a start or an end takes moments. */
const betweenNodesLimitMs = 120_000;

export class JobActivity {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #jobs = new Map<string, JobNodes>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Whether a run of the job is under way. */
  has(jobId: string): boolean {
    return this.#jobs.has(jobId);
  }

  begin(jobId: string): void {
    this.#jobs.set(jobId, { running: new Map(), ended: [], changedAt: this.#clock.monotonic() });
  }

  started(jobId: string, node: StartedNode): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    job.changedAt = this.#clock.monotonic();
    job.running.set(node.step, { ...node, startedAt: job.changedAt });
  }

  ended(jobId: string, step: number, node: EndedNode): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    job.changedAt = this.#clock.monotonic();
    job.running.delete(step);
    job.ended.push(node);
    if (job.ended.length > maxNodes) job.ended.shift();
  }

  end(jobId: string): void {
    this.#jobs.delete(jobId);
  }

  of(jobId: string): JobActivityView {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return { running: [], ended: [] };
    const now = this.#clock.monotonic();
    const running = [...job.running.values()].slice(-maxNodes);
    return {
      running: running.map(({ nodeId, nodeType, attempt, limitMs, startedAt }) => ({
        nodeId,
        nodeType,
        attempt,
        limitMs,
        runningForMs: now - startedAt,
      })),
      ended: [...job.ended],
    };
  }

  /** What could stand still: every node that runs, and every run that is between two. */
  get steps(): readonly RunningStep[] {
    const now = this.#clock.monotonic();
    return [...this.#jobs].flatMap(([jobId, { running, changedAt }]): readonly RunningStep[] => {
      if (running.size === 0) {
        return [{ jobId, nodeId: null, runningForMs: now - changedAt, limitMs: betweenNodesLimitMs }];
      }
      return [...running.values()].map(({ nodeId, limitMs, startedAt }) => ({
        jobId,
        nodeId,
        runningForMs: now - startedAt,
        limitMs,
      }));
    });
  }
}
