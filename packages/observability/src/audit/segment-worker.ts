/** The thread of a `SegmentPool`. */
import { parentPort, workerData } from 'node:worker_threads';
import { ChainChecker, type SegmentPart } from './chain-checker.ts';
import { mostUnsigned } from './chain-line.ts';
import { checkSegment } from './check-segment.ts';
import type { SegmentAnswer, SegmentContext, SegmentTask } from './segment-pool.ts';
import { TrustedKeys } from './trusted-keys.ts';

const { history, publicKeys, anchors } = workerData as SegmentContext;
const keys = new TrustedKeys(history, publicKeys);

async function partOf({ file, former }: SegmentTask): Promise<SegmentPart | null> {
  let isInOrder = true;
  const report = (): void => {
    isInOrder = false;
  };
  const checker = new ChainChecker({ start: null, isPart: true, former, keys, anchors, report, mostUnsigned });
  try {
    await checkSegment(file, checker, false);
    return isInOrder ? checker.part : null;
  } catch {
    return null;
  }
}

parentPort?.on('message', (task: SegmentTask) => {
  void partOf(task).then((part) => {
    const answer: SegmentAnswer = { index: task.index, part };
    parentPort?.postMessage(answer);
  });
});
