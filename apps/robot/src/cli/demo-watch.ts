/** How the jobs of the demo are getting on: every change is shown, and one that stands still ends the demo. */
import type { Clock, JsonObject } from '@casare/execution';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { showDuration } from './show-duration.ts';
import type { Terminal } from './terminal.ts';

export interface DemoJob {
  readonly label: string;
  readonly jobId: string;
  readonly expected: 'completed' | 'failed';
}

export interface DemoWatchOptions {
  readonly getJob: (jobId: string) => Promise<JsonObject | null>;
  readonly terminal: Pick<Terminal, 'print'>;
  readonly clock: Clock;
}

type States = ReadonlyMap<string, JsonObject>;

/** The demo gives up when nothing has changed for this long, or after `longestMs` in all. */
const stillMs = 60_000;
const longestMs = 900_000;
const lookEveryMs = 200;

export class DemoWatch {
  readonly #options: DemoWatchOptions;
  readonly #shown = new Map<string, string>();
  readonly #beganAt: number;
  #changedAt = 0;

  constructor(options: DemoWatchOptions) {
    this.#options = options;
    this.#beganAt = options.clock.monotonic();
  }

  /**
   * Shows every change of the jobs until `enough`, or until all have ended.
   *
   * @throws CliError that says how far each job is when nothing changes for a minute, or all takes longer than 15 minutes
   */
  async until(jobs: readonly DemoJob[], enough: (states: States) => boolean): Promise<States> {
    const { clock, getJob } = this.#options;
    this.#changedAt = clock.monotonic();
    for (;;) {
      const states = new Map<string, JsonObject>();
      for (const job of jobs) {
        const state = await getJob(job.jobId);
        if (state === null) continue;
        states.set(job.jobId, state);
        this.#show(job, state);
      }
      if (enough(states) || jobs.every(({ jobId }) => isOver(states.get(jobId)))) return states;
      this.#giveUpIfStill(jobs, states);
      await clock.sleep(lookEveryMs);
    }
  }

  #giveUpIfStill(jobs: readonly DemoJob[], states: States): void {
    const now = this.#options.clock.monotonic();
    const isStill = now - this.#changedAt >= stillMs;
    if (!isStill && now - this.#beganAt < longestMs) return;
    const why = isStill
      ? `nothing has changed for ${showDuration(now - this.#changedAt)}`
      : `it has not ended within ${showDuration(now - this.#beganAt)}`;
    const places = jobs.map((job) => `\n  ${job.label}: ${placeOf(states.get(job.jobId))}`);
    throw new CliError(
      exitCodes.unavailable,
      `the demo gives up: ${why}; the machine may be too busy for it, try again when there is less to do. It came so far:${places.join('')}`,
    );
  }

  #show({ jobId, label }: DemoJob, state: JsonObject): void {
    const percent = percentOf(state);
    const node = nodeOf(state);
    const line = `${String(state.status).padEnd(10)} ${label.padEnd(14)} ${bar(percent)} ${String(percent).padStart(3)}%  ${node}`;
    if (this.#shown.get(jobId) === line) return;
    this.#shown.set(jobId, line);
    this.#changedAt = this.#options.clock.monotonic();
    this.#options.terminal.print(line.trimEnd());
  }
}

export function isOver(state: JsonObject | undefined): boolean {
  return state !== undefined && state.status !== 'pending' && state.status !== 'running';
}

export function percentOf(state: JsonObject | undefined): number {
  const percent = ((state?.progress ?? {}) as JsonObject).percent;
  return typeof percent === 'number' ? percent : 0;
}

function nodeOf(state: JsonObject): string {
  const { current_node: node } = (state.progress ?? {}) as JsonObject;
  return typeof node === 'string' ? `at ${node}` : '';
}

function placeOf(state: JsonObject | undefined): string {
  if (state === undefined) return 'not submitted';
  if (state.status === 'pending') return 'pending; no robot has taken it yet';
  return `${String(state.status)}, ${percentOf(state)}% ${nodeOf(state)}`.trimEnd();
}

function bar(percent: number): string {
  const filled = Math.round(percent / 5);
  return `[${'#'.repeat(filled)}${'.'.repeat(20 - filled)}]`;
}
