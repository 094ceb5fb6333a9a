/** Feeds the lines of one segment to a checker. */
import { lstatSync } from 'node:fs';
import { isCode } from '../files/durable-file.ts';
import { isDamagedFile, readChunks } from '../files/read-chunks.ts';
import type { ChainChecker } from './chain-checker.ts';
import type { NamedSegment } from './name-check.ts';

const newline = 0x0a;

/**
 * A compressed file that is damaged is a finding like any other, and the segments behind it are checked all the same.
 * So is a link: what it leads to may be another tomorrow.
 *
 * @returns whether the last line has no end: in the last segment it may be being written
 */
export async function checkSegment(
  segment: NamedSegment & { readonly path: string },
  checker: ChainChecker,
  isLast: boolean,
): Promise<boolean> {
  checker.beginFile(segment);
  const isLink = lstatSync(segment.path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  if (isLink) checker.noFile(segment, 'it is no regular file, but a symbolic link, which the robot never makes');
  let isOpen = false;
  try {
    isOpen = await checkLines(segment.path, checker, isLast);
  } catch (error) {
    const leadsNowhere = isLink && (isCode(error, 'ENOENT') || isCode(error, 'ELOOP'));
    if (isDamagedFile(error)) checker.damagedFile(error.message);
    else if (!leadsNowhere) throw error;
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
