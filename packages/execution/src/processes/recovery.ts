/**
 * What becomes of a run whose process is gone. It is resumed from its journal in another process, as after any crash
 * (I4); a node that ends its process again and again fails with that. Pure.
 */
import type { IntentEntry } from '../engine/journal.ts';
import type { Interruption } from '../engine/run-options.ts';
import { tooLargeError } from '../engine/too-large.ts';
import type { RunError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { describeEnd, type ProcessEnd } from './job-process.ts';
import type { KillCause } from './run-watch.ts';

export type Setback =
  | {
      readonly kind: 'died';
      readonly end: ProcessEnd;
      /** What nobody caught, if that ended it. */
      readonly error: string | null;
      readonly isHeapFull: boolean;
    }
  | {
      readonly kind: 'too_large';
      readonly bytes: number;
      readonly limitBytes: number;
      /** Whose value it is; null: that of the node that was to begin. Absent: nobody can tell. */
      readonly step?: number | null;
    }
  | KillCause;

/** How often one node may end its process, by what ended it. */
const TRIES = { died: 3, channel: 3, stop_ignored: 3, memory: 2, stalled: 1, node_timeout: 1, too_large: 1 } as const;

export type Recovery =
  | { readonly kind: 'resume'; readonly interruption: Interruption | null }
  /** Not even telling the run what happened got it any further. */
  | { readonly kind: 'give_up'; readonly error: RunError };

/**
 * Counts setbacks by the nodes that were under way. Of several that run side by side nobody can tell which one ended
 * the process: it is taken to be the one that was there most often, and of those the one that began last.
 */
export class RecoveryPlan {
  /** By step; without a node under way, by the commits of the run, negative. */
  #counts = new Map<number, number>();
  /** How many commits there were when the run was last told to fail a node. */
  #failedAt: number | null = null;

  /**
   * @param open the nodes that were under way, oldest first
   * @param commits how many commits the run has made so far
   */
  after(setback: Setback, open: readonly IntentEntry[], commits: number): Recovery {
    const steps = open.length === 0 ? [-1 - commits] : open.map(({ step }) => step);
    this.#counts = new Map(steps.map((step) => [step, (this.#counts.get(step) ?? 0) + 1]));
    const step = stepOf(setback) ?? this.#mostFrequent();
    const count = this.#counts.get(step) ?? 1;
    const hit = open.find((intent) => intent.step === step);
    const error = errorOf(setback, count);
    if (this.#failedAt === commits) return { kind: 'give_up', error: runErrorOf(error, hit?.node_id ?? null) };
    if (count < TRIES[setback.kind]) return resume(hit, 'explain', error);
    this.#failedAt = commits;
    this.#counts.delete(step);
    return resume(hit, 'fail', error);
  }

  #mostFrequent(): number {
    let found = 0;
    let most = 0;
    for (const [step, count] of this.#counts) {
      if (count < most) continue;
      found = step;
      most = count;
    }
    return found;
  }
}

/** Undefined when nobody can tell; a number that no step has when no node was under way. */
function stepOf(setback: Setback): number | undefined {
  if (setback.kind === 'node_timeout') return setback.step;
  return setback.kind === 'too_large' && setback.step !== undefined ? (setback.step ?? -1) : undefined;
}

function resume(
  hit: IntentEntry | undefined,
  treatment: Interruption['treatment'],
  error: Interruption['error'],
): Recovery {
  return { kind: 'resume', interruption: { step: hit?.step ?? null, treatment, error } };
}

function runErrorOf({ errorType, ...error }: Interruption['error'], nodeId: string | null): RunError {
  return { ...error, error_type: errorType, node_id: nodeId };
}

function errorOf(setback: Setback, count: number): Interruption['error'] {
  switch (setback.kind) {
    case 'died': {
      const { signal, exitCode } = setback.end;
      if (setback.isHeapFull) return memoryError('its heap was full', { signal, exitCode });
      const times = count === 1 ? '' : `, ${count} times in a row`;
      const why = setback.error === null ? '' : `: ${setback.error}`;
      const message = `The process that ran it ended (${describeEnd(setback.end)})${times}${why}.`;
      return processError('JOB_PROCESS_DIED', message, { signal, exitCode });
    }
    case 'channel':
      return processError('JOB_PROCESS_DIED', `The process that ran it broke off its channel: ${setback.reason}.`, {
        signal: 'SIGKILL',
        exitCode: null,
      });
    case 'memory': {
      const { usedBytes, limitBytes } = setback;
      const used = `the job used ${megabytes(usedBytes)} MB of the ${megabytes(limitBytes)} MB that one may use`;
      return memoryError(used, { usedBytes, limitBytes });
    }
    case 'too_large':
      return tooLargeError(setback);
    case 'node_timeout':
      return timeoutError(`It did not end within its time limit of ${setback.limitMs} ms, and was killed.`, {
        limitMs: setback.limitMs,
      });
    case 'stop_ignored':
      return timeoutError('It was told to stop and did not end within the grace, and was killed.', {});
    case 'stalled':
      return timeoutError(
        `It kept its process from answering for ${Math.round(setback.silentMs)} ms, and was killed.`,
        {
          silentMs: Math.round(setback.silentMs),
        },
      );
  }
}

function processError(code: string, message: string, details: JsonObject): Interruption['error'] {
  return { code, category: 'unknown', message, errorType: 'ProcessError', details };
}

function memoryError(what: string, details: JsonObject): Interruption['error'] {
  const message = `Its process was killed: ${what}.`;
  return { code: 'JOB_MEMORY_LIMIT', category: 'permanent', message, errorType: 'MemoryError', details };
}

function timeoutError(message: string, details: JsonObject): Interruption['error'] {
  return { code: 'NODE_TIMEOUT', category: 'transient', message, errorType: 'TimeoutError', details };
}

function megabytes(bytes: number): number {
  return Math.round(bytes / (1024 * 1024));
}
