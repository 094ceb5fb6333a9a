/** The outbox on SQLite. A damaged entry is set aside instead of being sent or blocking what follows it. */

import type { Counters } from '../database/counters.ts';
import { StoreError } from '../errors.ts';
import { deadLettersNames, failNames, waitingNames } from '../option-names.ts';
import type { Clock, Logger } from '../ports.ts';
import {
  checkBoolean,
  checkGiven,
  checkIds,
  checkLimit,
  checkOneOf,
  checkRetryAfter,
  checkText,
} from '../queue-arguments.ts';
import type { StoreAccess } from '../store-access.ts';
import type { DeadLetterTable } from './dead-letter-table.ts';
import type {
  DeadLetter,
  DeadLettersOptions,
  Disposition,
  FailOptions,
  FailOutcome,
  Outbox,
  OutboxEntry,
  OutboxHead,
  OutboxStats,
  WaitingOptions,
} from './outbox.ts';
import type { FillReport } from './outbox-intake.ts';
import type { OutboxTable } from './outbox-table.ts';

export interface SqliteOutboxParts {
  readonly access: StoreAccess;
  readonly table: OutboxTable;
  readonly dead: DeadLetterTable;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly logger: Logger | undefined;
}

export class SqliteOutbox implements Outbox {
  readonly #parts: SqliteOutboxParts;
  /** Runs that wait after a failure, with the end of the wait on the monotonic clock. */
  readonly #heldUntil = new Map<number, number>();

  constructor(parts: SqliteOutboxParts) {
    this.#parts = parts;
  }

  async peek(limit = 100): Promise<OutboxEntry[]> {
    const { access, table } = this.#parts;
    checkLimit(limit);
    for (let filled = await this.#fill(); ; ) {
      const found = await access.read(() => table.oldest(limit, this.#heldRuns(), filled.beforeId));
      if (found.damaged.length > 0) await this.#setAside(found.damaged);
      else if (filled.isComplete || found.intact.length === limit) return found.intact;
      else filled = await this.#fill();
    }
  }

  async waiting(kind: string, options: WaitingOptions = {}): Promise<OutboxHead[]> {
    const { access, table } = this.#parts;
    checkText('kind', kind);
    const { afterId = 0, limit = 1_000 } = checkGiven(options, 'waiting', waitingNames);
    if (!Number.isSafeInteger(afterId))
      throw new StoreError('INVALID_ARGUMENT', 'afterId is the id of an entry, or 0.');
    checkLimit(limit);
    await this.fillAll();
    return access.read(() => table.headsOf(kind, afterId, limit));
  }

  async ack(ids: readonly number[]): Promise<number> {
    const own = checkIds(ids, 'ack');
    return own.length === 0 ? 0 : this.#parts.access.write({ op: 'outbox-remove', ids: own });
  }

  async fail(id: number, reason: string, options: FailOptions = {}): Promise<FailOutcome> {
    const { access, table, clock, logger } = this.#parts;
    checkIds([id], 'fail');
    checkText('reason', reason);
    checkRetryAfter(checkGiven(options, 'fail', failNames).retryAfterMs);
    checkBoolean('permanent', options.permanent);
    checkBoolean('final', options.final);
    const runId = await access.read(() => table.runOf(id));
    if (runId === null) return 'unknown';
    if (options.retryAfterMs !== undefined && options.retryAfterMs > 0) {
      this.#heldUntil.set(runId, clock.monotonic() + options.retryAfterMs);
    }
    if (options.permanent !== true) return 'kept';
    const nowMs = clock.now();
    const dead =
      options.final === true
        ? (await access.write({ op: 'outbox-bury', ids: [id], disposition: 'dead', reason, nowMs })) > 0
        : await access.write({ op: 'outbox-fail', id, reason, nowMs });
    if (dead) logger?.log('error', 'outbox entry given up', { outbox_id: id, reason });
    return dead ? 'dead' : 'kept';
  }

  async supersede(ids: readonly number[], reason: string): Promise<number> {
    const { access, clock } = this.#parts;
    const own = checkIds(ids, 'supersede');
    checkText('reason', reason);
    return access.write({ op: 'outbox-bury', ids: own, disposition: 'superseded', reason, nowMs: clock.now() });
  }

  async deadLetters(options: DeadLettersOptions = {}): Promise<DeadLetter[]> {
    const { limit = 100, dispositions = ['dead', 'damaged'] } = checkGiven(options, 'deadLetters', deadLettersNames);
    checkDispositions(dispositions);
    return this.#parts.access.read(() => this.#parts.dead.list(dispositions, checkLimit(limit)));
  }

  async requeue(ids: readonly number[]): Promise<number> {
    const own = checkIds(ids, 'requeue');
    return this.#parts.access.write({ op: 'dead-requeue', ids: own });
  }

  async discard(ids: readonly number[]): Promise<number> {
    const own = checkIds(ids, 'discard');
    return this.#parts.access.write({ op: 'dead-discard', ids: own });
  }

  async stats(): Promise<OutboxStats> {
    const { access, table, dead, counters } = this.#parts;
    await this.fillAll();
    return access.read(() => {
      const size = table.size();
      return {
        pending: size.pending,
        oldestRecordedAtMs: size.oldest,
        deadLetters: dead.count(),
        acknowledged: counters.get('outbox_acknowledged'),
        dropped: counters.get('outbox_dropped'),
        refused: counters.get('outbox_refused'),
        dead: counters.get('outbox_dead'),
        superseded: counters.get('outbox_superseded'),
      };
    });
  }

  /** Takes in all that was committed before. */
  async fillAll(): Promise<void> {
    while (!(await this.#fill()).isComplete);
  }

  #fill(): Promise<FillReport> {
    return this.#parts.access.write({ op: 'outbox-fill' });
  }

  #heldRuns(): number[] {
    const now = this.#parts.clock.monotonic();
    for (const [runId, until] of this.#heldUntil) if (until <= now) this.#heldUntil.delete(runId);
    return [...this.#heldUntil.keys()];
  }

  async #setAside(ids: readonly number[]): Promise<void> {
    const { access, clock, logger } = this.#parts;
    const reason = 'the record fails its checksum';
    await access.write({ op: 'outbox-bury', ids, disposition: 'damaged', reason, nowMs: clock.now() });
    logger?.log('critical', 'damaged outbox entries set aside', { outbox_ids: ids });
  }
}

/** @throws StoreError `INVALID_ARGUMENT` */
function checkDispositions(dispositions: readonly Disposition[]): void {
  if (!Array.isArray(dispositions)) throw new StoreError('INVALID_ARGUMENT', 'dispositions is a list.');
  for (const one of dispositions) checkOneOf('a disposition', one ?? null, ['dead', 'superseded', 'damaged']);
}
