/** What is to be told when the marks that lie beside a store are not its own, or cannot all be read. Pure. */
import { identityOf, type Mark, type Progress } from '../marks/mark-slot.ts';
import type { Incident } from './incidents.ts';

const causes = {
  missing: 'the file of high-water marks is gone',
  damaged: 'the file of high-water marks is damaged',
  'other-store': 'the file of high-water marks belongs to another store, in whose place this one was put',
} as const;

export interface MarksAndClaims {
  /** The marks that were read: with `other-store`, those of the store that was here before. */
  readonly found: readonly Mark[];
  /** Those of them that are believed. */
  readonly believed: readonly Mark[];
  /** How far the claims of this store have come. */
  readonly own: readonly Progress[];
}

export function lostMarks(
  condition: keyof typeof causes | 'ok',
  { found, believed, own }: MarksAndClaims,
  nowMs: number,
): Incident[] {
  if (condition === 'ok') return [];
  const here = new Set(own.map(({ jobId, leaseToken }) => identityOf(jobId, leaseToken)));
  const lost = condition === 'other-store' ? found.filter(({ over, identity }) => !over && !here.has(identity)) : [];
  const incidents = lost.map(({ jobId, leaseToken }): Incident => {
    const detail = 'it was under way in the store that was here before, and nothing of it is in this one';
    return { kind: 'job-lost', atMs: nowMs, jobId, leaseToken, detail };
  });
  const marked = new Set(believed.map(({ identity }) => identity));
  const begun = own
    .filter(({ over, journalSeq }) => !over && journalSeq > 0)
    .filter(({ jobId, leaseToken }) => !marked.has(identityOf(jobId, leaseToken)))
    .map(({ jobId }) => jobId);
  if (begun.length === 0) return incidents;
  const detail = `${causes[condition]}, so nothing tells whether the newest steps are there of: ${begun.join(', ')}`;
  return [{ kind: 'marks-lost', atMs: nowMs, jobId: null, leaseToken: null, detail }, ...incidents];
}
