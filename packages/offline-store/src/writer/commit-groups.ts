/**
 * Group commit: the commands that are waiting share one transaction, and with it one flush to disk. A command
 * is answered only after its COMMIT has returned (I3).
 *
 * If a group fails it is rolled back as a whole and each command runs again in a transaction of its own, so
 * one bad command costs the others nothing. One that does not fit into the file runs again without its events,
 * and, if it ends a job, with the reserve (`quota.ts`).
 */
import type Database from 'better-sqlite3';
import type { CounterName } from '../database/counters.ts';
import { isBusy, isFull } from '../database/storage-errors.ts';
import type { TimedWrite } from '../journal/run-log.ts';
import { kept } from '../outbox/draft-text.ts';
import { hasHappened, mayUseReserve, type RecordCommand, type StoreCommand } from './commands.ts';
import type { Quota } from './quota.ts';
import { type CommandResult, noValue, runCommand, type WriterParts } from './run-command.ts';

export type Outcome = { readonly ok: true; readonly value: unknown } | Failure;
type Step = RecordCommand & TimedWrite;
type Failure = { readonly ok: false; readonly error: unknown };
type Attempt = { readonly ok: true; readonly outcomes: readonly Outcome[] } | Failure;

export interface CommitGroupsOptions {
  readonly quota: Quota;
  /** Blocks for so many ms; null: a file that is locked is an error at once. */
  readonly pause: ((pauseMs: number) => void) | null;
  /** Called after each COMMIT, which it cannot take back: does not throw. */
  readonly onCommitted?: () => void;
  /** Called after each ROLLBACK. */
  readonly onRolledBack?: () => void;
  /** Called before each COMMIT; for drills that make it slow. */
  readonly beforeCommit?: () => void;
}

/** Pauses between attempts while somebody else has the file locked. */
const busyPausesMs = [20, 50, 100, 200, 500, 1_000, 1_000, 1_000, 1_000] as const;

export class CommitGroups {
  readonly #parts: WriterParts;
  readonly #options: CommitGroupsOptions;
  readonly #begin: Database.Statement<[]>;
  readonly #commit: Database.Statement<[]>;
  readonly #rollback: Database.Statement<[]>;
  /** What could not be counted in the transaction it is about, since that failed. */
  readonly #uncounted = new Map<CounterName, number>();
  #commits = 0;
  #transactions = 0;

  constructor(parts: WriterParts, options: CommitGroupsOptions) {
    this.#parts = parts;
    this.#options = options;
    const { db } = parts.tables;
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#rollback = db.prepare('ROLLBACK');
  }

  /** Commands that were committed, and the transactions that it took. */
  get counts(): { readonly commits: number; readonly transactions: number } {
    return { commits: this.#commits, transactions: this.#transactions };
  }

  run(group: readonly StoreCommand[]): readonly Outcome[] {
    const { quota } = this.#options;
    const together = this.#attempt(group);
    if (together.ok) return together.outcomes;
    if (group.length > 1 && !isBusy(together.error)) return group.flatMap((command) => this.run([command]));
    const [command] = group;
    if (command === undefined || !isFull(together.error)) return group.map(() => together);
    quota.look();
    const smaller = this.#withoutEvents(command);
    const again = smaller === command ? together : this.#attempt([smaller]);
    if (again.ok) return again.outcomes;
    if (mayUseReserve(command)) {
      const reserved = quota.withReserve(hasHappened(command) ? 'half' : 'whole', () => this.#attempt([smaller]));
      this.#count('reserve_used', 1);
      return reserved.ok ? reserved.outcomes : [reserved];
    }
    this.#count('commits_refused', 1);
    return [again];
  }

  #attempt(group: readonly StoreCommand[]): Attempt {
    const { pause } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      let results: readonly CommandResult[];
      try {
        results = this.#areOneStatement(group) ? this.#asOneStatement(group) : this.#inTransaction(group);
      } catch (error) {
        this.#parts.runLog.rolledBack();
        this.#options.onRolledBack?.();
        const pauseMs = busyPausesMs[attempt];
        if (!isBusy(error) || pauseMs === undefined || pause === null) return { ok: false, error };
        pause(pauseMs);
        continue;
      }
      this.#committed(results);
      return { ok: true, outcomes: results };
    }
  }

  /** What is on disk is acknowledged: from here on nothing fails any more. */
  #committed(results: readonly CommandResult[]): void {
    const { onCommitted, quota } = this.#options;
    this.#transactions += 1;
    this.#commits += results.length;
    this.#uncounted.clear();
    this.#parts.runLog.committed();
    for (const { committed } of results) committed?.();
    onCommitted?.();
    quota.committed();
  }

  /** Steps and nothing else while there is room: SQLite commits a statement that is in no transaction by itself. */
  #areOneStatement(group: readonly StoreCommand[]): group is readonly Step[] {
    const { pressure, mayHoldBack } = this.#options.quota;
    if (pressure !== 'none' || mayHoldBack || this.#uncounted.size > 0) return false;
    return group.every(isOfKnownClaim) && this.#parts.runLog.areOneStatement(group);
  }

  #asOneStatement(group: readonly Step[]): CommandResult[] {
    this.#options.beforeCommit?.();
    const [only] = group;
    if (group.length === 1 && only !== undefined) return [runCommand(this.#parts, only)];
    this.#parts.runLog.writeSteps(group);
    return group.map(() => noValue);
  }

  #inTransaction(group: readonly StoreCommand[]): CommandResult[] {
    const parts = this.#parts;
    const { quota, beforeCommit } = this.#options;
    this.#begin.run();
    try {
      const shed = quota.pressure !== 'none';
      const results: CommandResult[] = [];
      for (const command of group) results.push(runCommand(parts, shed ? this.#sparing(command) : command));
      if (quota.mayHoldBack && !group.every(mayUseReserve)) quota.requireRoomForSteps();
      for (const [name, count] of this.#uncounted) parts.tables.counters.add(name, count);
      beforeCommit?.();
      this.#commit.run();
      return results;
    } catch (error) {
      if (parts.tables.db.inTransaction) this.#rollback.run();
      throw error;
    }
  }

  /** The command as it is run while the store is almost full. */
  #sparing(command: StoreCommand): StoreCommand {
    return command.op === 'outbox-fill' ? { ...command, sparing: true } : this.#withoutEvents(command);
  }

  /** The same command without the outbox drafts that need not be kept; they are counted. */
  #withoutEvents(command: StoreCommand): StoreCommand {
    if (command.op !== 'record' || (mayUseReserve(command) && !command.write.reserve)) return command;
    const { write } = command;
    const outbox = kept(write.outbox);
    if (outbox.count === write.outbox.count) return command;
    this.#count('outbox_refused', write.outbox.count - outbox.count);
    return { ...command, write: { ...write, outbox } };
  }

  #count(name: CounterName, count: number): void {
    this.#uncounted.set(name, (this.#uncounted.get(name) ?? 0) + count);
  }
}

function isOfKnownClaim(command: StoreCommand): command is Step {
  return command.op === 'record' && 'runId' in command.run;
}
