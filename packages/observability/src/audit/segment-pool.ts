/**
 * Checks segments in threads, each for itself: whether it is in order within. How it connects to the one before is for
 * the one checker that follows the whole chain, which also reads again whatever is not in order, so that findings are
 * those of a single pass.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Anchor } from './anchor-file.ts';
import type { AuditSegment } from './audit-files.ts';
import type { KeyHistory } from './audit-keys.ts';
import type { SegmentPart } from './chain-checker.ts';
import type { FormerSegment, NamedSegment } from './name-check.ts';
import { rest, type VerifyPace } from './verify-pace.ts';

/** What every segment is checked with. */
export interface SegmentContext {
  readonly history: KeyHistory | null;
  readonly publicKeys: readonly string[];
  readonly anchors: readonly Anchor[];
}

export interface SegmentTask {
  readonly index: number;
  readonly file: NamedSegment & { readonly path: string };
  readonly former: FormerSegment;
}

export interface SegmentAnswer {
  readonly index: number;
  /** Null when it is not in order, or cannot be read here. */
  readonly part: SegmentPart | null;
}

export interface SegmentPool {
  /** Null also for a segment that is to be read in any case: the first, the last, or all of a small log. */
  partOf(index: number): Promise<SegmentPart | null>;
  /** Answers null to all that is asked, or has been. */
  giveUp(): void;
  close(): Promise<void>;
}

const mostThreads = 4;
/** Fewer segments are not worth the threads. */
const fewestSegments = 6;

/** @param pace one thread then, which rests between two segments */
export function openSegmentPool(
  segments: readonly AuditSegment[],
  context: SegmentContext,
  pace?: VerifyPace,
): SegmentPool {
  const tasks = segments.slice(1, -1).map(({ name, path, segment, day }, index): SegmentTask => {
    const { segment: before = 0, day: dayBefore = null } = segments[index] ?? {};
    return { index: index + 1, file: { name, path, segment, day }, former: { segment: before, day: dayBefore } };
  });
  const most = pace === undefined ? mostThreads : 1;
  const count = segments.length < fewestSegments ? 0 : Math.min(most, availableParallelism(), tasks.length);
  const closed = new AbortController();
  const answers = new Map(
    count === 0 ? [] : tasks.map(({ index }) => [index, Promise.withResolvers<SegmentPart | null>()]),
  );
  const queue = [...tasks];
  const workers = Array.from({ length: count }, () => startWorker());

  function startWorker(): Worker {
    const worker = new Worker(workerFile(), { name: 'audit-verify', execArgv: [], workerData: context });
    let began = 0;
    const next = (): void => {
      const task = queue.shift();
      if (task === undefined) return;
      began = pace?.clock.monotonic() ?? 0;
      worker.postMessage(task);
    };
    worker.on('message', ({ index, part }: SegmentAnswer) => {
      answers.get(index)?.resolve(part);
      if (pace === undefined) next();
      else void rest(pace, pace.clock.monotonic() - began, closed.signal).then(next);
    });
    // Whatever it had to do is then read by the one that asks.
    worker.on('error', () => giveUp());
    next();
    return worker;
  }

  function giveUp(): void {
    closed.abort();
    queue.length = 0;
    for (const { resolve } of answers.values()) resolve(null);
  }

  return {
    partOf: (index) => answers.get(index)?.promise ?? Promise.resolve(null),
    giveUp,
    async close() {
      giveUp();
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** The thread's file beside this one: the source, or what was built from it. */
function workerFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './segment-worker.ts' : './segment-worker.js', import.meta.url);
}
