/**
 * Carries the outbox to the server, in order per job, in batches (I6); a few jobs side by side. An entry leaves the outbox only
 * after the server's answer; an outage just waits; a permanent refusal counts against that entry alone. What the server
 * keeps as evidence only, because another claim holds the job, or it was ended or removed, is kept here as such, too (I1).
 */
import type {
  DoubtQuestion,
  JobEvent,
  JobGateway,
  JsonObject,
  JsonValue,
  Lease,
  LeaseOutcome,
} from '@casare/execution';
import { messageOf } from './message-of.ts';

export interface OutboxItem {
  readonly id: number;
  readonly jobId: string;
  /** Null only for jobs without a lease, which have nothing to send. */
  readonly leaseToken: string | null;
  readonly seq: number;
  readonly kind: string;
  readonly payload: JsonValue;
}

export interface OutboxPort {
  peek(limit: number): Promise<readonly OutboxItem[]>;
  ack(ids: readonly number[]): Promise<unknown>;
  /** They have arrived, and count for nothing. */
  supersede(ids: readonly number[], reason: string): Promise<unknown>;
  fail(
    id: number,
    reason: string,
    options: { readonly permanent: boolean; readonly final?: boolean },
  ): Promise<unknown>;
}

export interface OutboxSyncOptions {
  readonly outbox: OutboxPort;
  readonly gateway: Pick<JobGateway, 'recordEvents' | 'setInDoubt' | 'completeJob' | 'releaseJob'>;
  /** Whether an error is the server's last word on this entry. */
  readonly isPermanent: (error: unknown) => boolean;
  readonly onDelivered?: (item: OutboxItem, outcome: LeaseOutcome) => void | Promise<void>;
  /**
   * What is asked about a job now, which is sent instead of what was asked when the entry was made: one that was refused
   * and put back must not ask what has been answered meanwhile. Null: nobody can tell.
   */
  readonly questionsOf?: (lease: Lease) => Promise<readonly DoubtQuestion[] | null>;
  readonly onRefused?: (item: OutboxItem, error: unknown) => void;
  /** The server has something else under the number of this entry, which is a dead letter now. */
  readonly onConflict?: (item: OutboxItem) => void;
  /** False while nothing may be sent yet. Default: it always may. */
  readonly isReady?: () => boolean;
  /** Entries per look at the outbox. Default 1,000, as many events as the database takes in one request. */
  readonly batchSize?: number;
}

export type DrainResult = 'empty' | 'offline';

type DeliveryResult = 'delivered' | 'refused' | 'offline';

/** Jobs whose entries are sent at the same time. */
const jobsAtOnce = 4;

/** Entries of one job and kind that one request can carry. */
interface Batch {
  readonly lease: Lease;
  readonly kind: string;
  readonly items: OutboxItem[];
}

/** Claims are remembered up to here (I7). */
const maxAsked = 1_000;

export class OutboxSync {
  readonly #options: OutboxSyncOptions;
  /** By claim, the questions that the server has from here. */
  readonly #asked = new Map<string, readonly DoubtQuestion[]>();

  constructor(options: OutboxSyncOptions) {
    this.#options = options;
  }

  /** Delivers until the outbox is empty or the server cannot be reached. One call at a time. */
  async drain(signal: AbortSignal): Promise<DrainResult> {
    for (;;) {
      if (signal.aborted || this.#options.isReady?.() === false) return 'offline';
      const items = await this.#options.outbox.peek(this.#options.batchSize ?? 1_000);
      if (items.length === 0) return 'empty';
      const results = await this.#deliverAll(items, signal);
      if (results.has('offline') || !results.has('delivered')) return 'offline';
    }
  }

  async #deliverAll(items: readonly OutboxItem[], signal: AbortSignal): Promise<ReadonlySet<DeliveryResult>> {
    const results = new Set<DeliveryResult>();
    const jobs = batchesByJob(items);
    const deliverJobs = async (): Promise<void> => {
      for (let batches = jobs.shift(); batches !== undefined; batches = jobs.shift()) {
        for (const batch of batches) {
          if (results.has('offline')) return;
          results.add(await this.#deliver(batch, signal));
        }
      }
    };
    await Promise.all(Array.from({ length: jobsAtOnce }, deliverJobs));
    return results;
  }

  async #deliver(batch: Batch, signal: AbortSignal): Promise<DeliveryResult> {
    const { outbox, onRefused, onConflict, isPermanent } = this.#options;
    try {
      const outcome = await this.#send(batch, signal);
      await this.#arrived(batch.items, outcome);
      return 'delivered';
    } catch (error) {
      if (signal.aborted || !isPermanent(error)) return 'offline';
      if (batch.items.length > 1) return this.#deliverOneByOne(batch, signal);
      const isConflict = (error as { code?: unknown }).code === 'CONTENT_CONFLICT';
      if (!isConflict && batch.kind === 'complete' && (await this.#completeWithoutResult(batch, error, signal)))
        return 'delivered';
      for (const item of batch.items) {
        await outbox.fail(item.id, messageOf(error), { permanent: true, final: isConflict });
        if (isConflict) onConflict?.(item);
        onRefused?.(item, error);
      }
      return 'refused';
    }
  }

  async #arrived(items: readonly OutboxItem[], outcome: LeaseOutcome): Promise<void> {
    const { outbox, onDelivered } = this.#options;
    for (const item of items) {
      if (item.kind === 'complete' || item.kind === 'release') this.#asked.delete(claimOf(item));
      await onDelivered?.(item, outcome);
    }
    const ids = items.map(({ id }) => id);
    if (outcome === 'stale') await outbox.supersede(ids, 'another claim holds the job, or it was ended or removed');
    else await outbox.ack(ids);
  }

  /**
   * The server refuses the end of a job for what it carries (its size, say): the end is told without it,
   * rather than leaving the job running for ever. The result stays in the local store.
   */
  async #completeWithoutResult(batch: Batch, refusal: unknown, signal: AbortSignal): Promise<boolean> {
    const { gateway, onRefused } = this.#options;
    const [item] = batch.items;
    if (item === undefined) return false;
    const { status, error } = objectOf(item.payload) as unknown as Parameters<JobGateway['completeJob']>[1];
    const short = error === null ? null : { code: error.code ?? null, message: String(error.message).slice(0, 500) };
    const result = { left_out: `the database refused the result: ${messageOf(refusal).slice(0, 500)}` };
    try {
      const outcome = await gateway.completeJob(batch.lease, { status, result, error: short }, { signal });
      onRefused?.(item, refusal);
      await this.#arrived([item], outcome);
      return true;
    } catch {
      return false;
    }
  }

  async #deliverOneByOne(batch: Batch, signal: AbortSignal): Promise<DeliveryResult> {
    let result: 'delivered' | 'refused' = 'refused';
    for (const item of batch.items) {
      const one = await this.#deliver({ ...batch, items: [item] }, signal);
      if (one === 'offline') return 'offline';
      if (one === 'delivered') result = 'delivered';
    }
    return result;
  }

  /**
   * No question reaches the server before the events that led to it, since whoever answers looks at those: what is asked now
   * and was not asked yet when the entry was made has an entry of its own, behind its events, however far back that is.
   */
  async #questions({ lease }: Batch, { nodes }: JsonObject): Promise<readonly DoubtQuestion[]> {
    const then = nodes as unknown as readonly DoubtQuestion[];
    const now = await this.#options.questionsOf?.(lease);
    if (now === undefined || now === null) return then;
    const told = [...then, ...(this.#asked.get(claimOf(lease)) ?? [])];
    return now.filter((question) => told.some((other) => isSame(question, other)));
  }

  async #ask(batch: Batch, payload: JsonObject, signal: AbortSignal): Promise<LeaseOutcome> {
    const claim = claimOf(batch.lease);
    const questions = await this.#questions(batch, payload);
    const outcome = await this.#options.gateway.setInDoubt(batch.lease, questions, { signal });
    this.#asked.delete(claim);
    if (questions.length === 0 || outcome === 'stale') return outcome;
    for (const oldest of this.#asked.keys()) if (this.#asked.size >= maxAsked) this.#asked.delete(oldest);
    this.#asked.set(claim, questions);
    return outcome;
  }

  async #send(batch: Batch, signal: AbortSignal): Promise<LeaseOutcome> {
    const { gateway } = this.#options;
    const payload = objectOf(batch.items[0]?.payload);
    switch (batch.kind) {
      case 'event':
        return gateway.recordEvents(batch.lease, batch.items.map(asEvent), { signal });
      case 'in_doubt':
        return this.#ask(batch, payload, signal);
      case 'complete':
        return gateway.completeJob(batch.lease, payload as unknown as Parameters<JobGateway['completeJob']>[1], {
          signal,
        });
      case 'release':
        return gateway.releaseJob(batch.lease, String(payload.reason ?? 'handed back'), { signal });
      default:
        throw Object.assign(new Error(`unknown outbox entry kind ${batch.kind}`), { category: 'permanent' });
    }
  }
}

/** In order per job: events of one job that stand next to each other among its own entries go together. */
function batchesByJob(items: readonly OutboxItem[]): Batch[][] {
  const jobs = new Map<string, Batch[]>();
  for (const item of items) {
    const { jobId, kind } = item;
    const leaseToken = item.leaseToken ?? '';
    const batches = jobs.get(jobId) ?? [];
    jobs.set(jobId, batches);
    const last = batches.at(-1);
    const joins = kind === 'event' && last?.kind === 'event' && last.lease.leaseToken === leaseToken;
    if (joins) last.items.push(item);
    else batches.push({ lease: { jobId, leaseToken }, kind, items: [item] });
  }
  return [...jobs.values()];
}

function claimOf({ jobId, leaseToken }: Pick<OutboxItem, 'jobId' | 'leaseToken'>): string {
  return `${jobId} ${leaseToken ?? ''}`;
}

function isSame(one: DoubtQuestion, other: DoubtQuestion): boolean {
  return one.node_id === other.node_id && one.step === other.step && one.attempt === other.attempt;
}

function asEvent(item: OutboxItem): JobEvent {
  const { kind, node_id, at, payload } = objectOf(item.payload);
  return {
    seq: item.seq,
    kind: String(kind),
    node_id: typeof node_id === 'string' ? node_id : null,
    at: String(at),
    payload: (payload ?? {}) as JsonObject,
  };
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
