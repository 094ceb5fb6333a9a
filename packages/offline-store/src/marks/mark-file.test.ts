import { join } from 'node:path';
import { expect, it } from 'vitest';
import { choices } from '../../test/support/choices.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { MarkFile, readMarks, rewriteMarks } from './mark-file.ts';
import type { Progress } from './mark-slot.ts';

it('the file holds the last mark of each claim, however many are written at once', () => {
  const path = join(temporaryFolder(), 'store.db-marks');
  const source = choices(20_260_101);
  const next = (limit: number): number => source.next().value % limit;
  const first = progress(7, 1, false);
  rewriteMarks(path, 'store-1', [first]);
  const file = new MarkFile(path);
  const expected = new Map([[7, first]]);
  for (let revision = 2; revision < 200; revision += 1) {
    const group = Array.from({ length: next(3) === 0 ? 1 : next(70) }, () =>
      progress(1 + next(revision), revision, next(5) === 0),
    );
    const written = new Map(group.map((mark) => [mark.runId, mark]));
    file.write(written.values());
    for (const [runId, mark] of written) expected.set(runId, mark);
    const gone = 1 + next(revision);
    file.forget(gone);
    expected.delete(gone);
    if (revision % 10 === 0) expect(marksIn(path)).toEqual(sorted(expected.values()));
  }
  file.close();
});

function progress(runId: number, revision: number, over: boolean): Progress {
  const [jobId, leaseToken] = [`job-${runId}`, String(runId)];
  return { runId, jobId, leaseToken, revision, journalSeq: revision * 2, outboxSeq: revision * 3, over };
}

function marksIn(path: string): Progress[] {
  const { condition, marks } = readMarks(path);
  expect(condition).toBe('ok');
  return sorted(marks.map(({ identity, ...mark }) => mark));
}

function sorted(marks: Iterable<Progress>): Progress[] {
  return [...marks].sort((a, b) => a.runId - b.runId);
}
