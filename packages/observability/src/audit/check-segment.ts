/** Feeds the lines of one segment to a checker. */
import { isDamagedFile, readChunks } from '../files/read-chunks.ts';
import type { AuditSegment } from './audit-files.ts';
import type { ChainChecker } from './chain-checker.ts';

const newline = 0x0a;

/**
 * A compressed file that is damaged is a finding like any other, and the segments behind it are checked all the same.
 *
 * @returns whether the last line has no end: in the last segment it may be being written
 */
export async function checkSegment(
  segment: Pick<AuditSegment, 'name' | 'path'>,
  checker: ChainChecker,
  isLast: boolean,
): Promise<boolean> {
  checker.beginFile(segment.name);
  let isOpen = false;
  try {
    isOpen = await checkLines(segment.path, checker, isLast);
  } catch (error) {
    if (!isDamagedFile(error)) throw error;
    checker.damagedFile(error.message);
  }
  checker.endFile(isLast);
  return isOpen;
}

async function checkLines(path: string, checker: ChainChecker, isLast: boolean): Promise<boolean> {
  let rest: Buffer[] = [];
  for await (const chunk of readChunks(path)) {
    let from = 0;
    let end = chunk.indexOf(newline);
    if (end !== -1 && rest.length > 0) {
      const line = Buffer.concat([...rest, chunk.subarray(0, end)]);
      rest = [];
      checker.line(line, 0, line.length);
      from = end + 1;
      end = chunk.indexOf(newline, from);
    }
    for (; end !== -1; end = chunk.indexOf(newline, from)) {
      checker.line(chunk, from, end);
      from = end + 1;
    }
    if (from < chunk.length) rest.push(Buffer.from(chunk.subarray(from)));
  }
  const last = Buffer.concat(rest);
  const isOpen = last.length > 0;
  // The writer's next line goes on behind it; in a segment that was left, nothing may be open.
  if (isOpen && !isLast) checker.line(last, 0, last.length);
  return isOpen;
}
