/** The outbox on SQLite. A damaged entry is set aside instead of being sent or blocking what follows it. */

import type { Counters } from '../database/counters.ts';
import type { Clock, Logger } from '../ports.ts';
import type { StoreAccess } from '../store-access.ts';
import type { DeadLetter, FailOptions, FailOutcome, Outbox, OutboxEntry, OutboxStats } from './outbox.ts';
import type { OutboxTable } from './outbox-table.ts';

export interface SqliteOutboxParts {
  readonly access: StoreAccess;
  readonly table: OutboxTable;
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
    for (;;) {
      const found = await access.read(() => table.oldest(limit, this.#heldRuns()));
      if (found.damaged.length === 0) return found.intact;
      await this.#setAside(found.damaged);
    }
  }

  ack(ids: readonly number[]): Promise<number> {
    if (ids.length === 0) return Promise.resolve(0);
    return this.#parts.access.write(() => this.#parts.table.remove(ids));
  }

  async fail(id: number, reason: string, options: FailOptions = {}): Promise<FailOutcome> {
    const { access, table, clock, logger } = this.#parts;
    const runId = await access.read(() => table.runOf(id));
    if (runId === null) return 'unknown';
    if (options.retryAfterMs !== undefined && options.retryAfterMs > 0) {
      this.#heldUntil.set(runId, clock.monotonic() + options.retryAfterMs);
    }
    if (options.permanent !== true) return 'kept';
    const dead = await access.write(() => table.countFailure(id, reason, clock.now()));
    if (dead) logger?.log('error', 'outbox entry given up', { outbox_id: id, reason });
    return dead ? 'dead' : 'kept';
  }

  deadLetters(limit = 100): Promise<DeadLetter[]> {
    return this.#parts.access.read(() => this.#parts.table.dead(limit));
  }

  stats(): Promise<OutboxStats> {
    const { access, table, counters } = this.#parts;
    return access.read(() => {
      const size = table.size();
      return {
        pending: size.pending,
        oldestRecordedAtMs: size.oldest,
        deadLetters: size.dead,
        acknowledged: counters.get('outbox_acknowledged'),
        dropped: counters.get('outbox_dropped'),
        dead: counters.get('outbox_dead'),
      };
    });
  }

  #heldRuns(): number[] {
    const now = this.#parts.clock.monotonic();
    for (const [runId, until] of this.#heldUntil) if (until <= now) this.#heldUntil.delete(runId);
    return [...this.#heldUntil.keys()];
  }

  async #setAside(ids: readonly number[]): Promise<void> {
    const { access, table, clock, logger } = this.#parts;
    await access.write(() => {
      for (const id of ids) table.bury(id, 'the record fails its checksum', clock.now());
    });
    logger?.log('critical', 'damaged outbox entries set aside', { outbox_ids: ids });
  }
}
