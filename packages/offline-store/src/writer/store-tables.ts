/** The parts of a store on one connection: what they are and how they are joined. */
import type Database from 'better-sqlite3';
import { Counters } from '../database/counters.ts';
import { JobTable, type JobTableOptions } from '../jobs/job-table.ts';
import { ExecutedTable } from '../journal/executed-table.ts';
import { JournalTable } from '../journal/journal-table.ts';
import { DeadLetterTable } from '../outbox/dead-letter-table.ts';
import type { OutboxLimits } from '../outbox/outbox.ts';
import { OutboxIntake } from '../outbox/outbox-intake.ts';
import { OutboxTable } from '../outbox/outbox-table.ts';
import type { SecretBox } from '../secrets/secret-box.ts';

export interface StoreTables {
  readonly db: Database.Database;
  readonly box: SecretBox;
  readonly counters: Counters;
  readonly jobs: JobTable;
  readonly journal: JournalTable;
  readonly executed: ExecutedTable;
  readonly outbox: OutboxTable;
  readonly intake: OutboxIntake;
  readonly deadLetters: DeadLetterTable;
}

export interface StoreTablesOptions {
  readonly box: SecretBox;
  readonly outbox: OutboxLimits;
  readonly jobs?: JobTableOptions;
}

export function storeTables(db: Database.Database, options: StoreTablesOptions): StoreTables {
  const counters = new Counters(db);
  const deadLetters = new DeadLetterTable(db);
  const journal = new JournalTable(db, options.box);
  const outbox = new OutboxTable(db, deadLetters, counters, options.outbox);
  return {
    db,
    box: options.box,
    counters,
    jobs: new JobTable(db, journal, options.jobs),
    journal,
    executed: new ExecutedTable(db),
    outbox,
    intake: new OutboxIntake(db, journal, outbox),
    deadLetters,
  };
}
