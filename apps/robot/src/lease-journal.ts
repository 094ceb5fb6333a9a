/**
 * Keeps a run from beginning a node that another robot may soon be running, or is (I1, I2). What is done is recorded all
 * the same: an intent is refused, the results that came with it are not.
 */
import type { JournalEntry } from '@casare/execution';
import type { JobJournal } from './job-journal.ts';

/** A node was not begun: its job's lease ends, or is lost. */
export class LeaseEndingError extends Error {
  readonly code = 'LEASE_ENDING';

  constructor() {
    super('the lease of the job ends, so that another robot may begin it anew');
  }
}

/** @param mustStop asked before a node's intent is recorded, again after it (a disk may take long), and before the node begins */
export function withinLease(journal: JobJournal, mustStop: () => boolean): JobJournal {
  return {
    get questions() {
      return journal.questions;
    },
    get open() {
      return journal.open;
    },
    get mayHaveHappened() {
      return journal.mayHaveHappened;
    },
    ...(journal.snapshotEveryEntries === undefined ? {} : { snapshotEveryEntries: journal.snapshotEveryEntries }),
    load: () => journal.load(),
    beforeNode() {
      if (mustStop()) throw new LeaseEndingError();
    },
    async commit(entries) {
      const begins = entries.some(({ kind }) => kind === 'intent');
      if (begins && mustStop()) {
        const done = entries.filter(isAboutThePast);
        if (done.length > 0) await journal.commit(done);
        throw new LeaseEndingError();
      }
      await journal.commit(entries);
      if (begins && mustStop()) throw new LeaseEndingError();
    },
  };
}

/** A snapshot may hold the intent that is refused. */
function isAboutThePast({ kind }: JournalEntry): boolean {
  return kind !== 'intent' && kind !== 'snapshot';
}
