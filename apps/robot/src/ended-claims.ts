/**
 * Claims of jobs whose story the local store knows further than the server does: its database was restored from an older
 * copy, so that it hands jobs out again that are over here, under lease tokens that were given before. What the robot has
 * recorded is what truly happened: the end is told again, under the token that counts now, and nothing is run twice.
 * Where nothing was begun here, or the job says that it may begin again, the claim goes back until the tokens are new;
 * what was begun here and left without an end fails, since nobody can tell how far it came.
 */
import type {
  ClaimedJob,
  Clock,
  JobGateway,
  JobLocker,
  JournalEntry,
  JsonObject,
  JsonValue,
  Lease,
  Logger,
} from '@casare/execution';
import type { HeldJob } from './held-jobs.ts';
import type { RefusedJobError } from './job-intake.ts';
import { eventsOf } from './job-journal.ts';
import { isRecordLost, recordError } from './lost-record.ts';
import { type OutboxItem, type OutboxPort, OutboxSync } from './outbox-sync.ts';

/** The newest claim of a job that the local store has. */
export interface NewestClaim {
  readonly leaseToken: string;
  readonly status: 'cached' | 'in_progress' | 'in_doubt' | 'completed' | 'failed' | 'cancelled' | 'released';
  readonly result: JsonValue;
  readonly error: JsonValue;
  readonly hasBegun: boolean;
  /** Where its end stands: on its way, taken by the server, or kept there as evidence only. */
  readonly telling: 'under-way' | 'counted' | 'superseded';
}

export interface EndedClaimRecords {
  /** Null when the store has no claim of the job. */
  newest(jobId: string): Promise<NewestClaim | null>;
  /** What the journal of the newest claim still has. */
  journal(jobId: string): Promise<readonly JournalEntry[]>;
  greatestToken(): Promise<string>;
}

export interface EndedClaimsOptions {
  readonly records: EndedClaimRecords;
  readonly locker: Pick<JobLocker, 'heartbeat' | 'release' | 'forget'>;
  readonly gateway: Pick<JobGateway, 'recordEvents' | 'setInDoubt' | 'completeJob' | 'releaseJob'>;
  /** Whether an error is the server's last word on what is sent. */
  readonly isPermanent: (error: unknown) => boolean;
  readonly logger: Logger;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly onToldAgain?: (jobId: string, reason: string) => void;
  readonly onFailed?: (jobId: string, error: Omit<RefusedJobError, 'code'> & { readonly code: string }) => void;
}

/** `unknown`: a claim like any other. `settled`: nothing of it is left to do. */
export type EndedClaimVerdict =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'settled' }
  | { readonly kind: 'hand-back'; readonly reason: string };

const unknown: EndedClaimVerdict = { kind: 'unknown' };
const settled: EndedClaimVerdict = { kind: 'settled' };
const ends: ReadonlySet<NewestClaim['status']> = new Set(['completed', 'failed', 'cancelled']);
/** So many jobs are remembered, so that each is told of loudly once (I7). */
const maxTold = 1_000;
/** A job that was handed back and did not come again for so long is not waited for any more. */
const handedBackForMs = 60_000;

export class EndedClaims {
  readonly #options: EndedClaimsOptions;
  readonly #told = new Set<string>();
  /** Jobs that come again and again, since their token is not new; the newest last. */
  readonly #handedBack = new Map<string, { readonly why: string; readonly at: number }>();

  constructor(options: EndedClaimsOptions) {
    this.#options = options;
  }

  /** Jobs that a restored database hands out and that cannot begin before it is mended. */
  get held(): readonly HeldJob[] {
    const since = this.#options.clock.monotonic() - handedBackForMs;
    for (const [jobId, { at }] of this.#handedBack) if (at < since) this.#handedBack.delete(jobId);
    return [...this.#handedBack].map(([jobId, { why }]) => ({ jobId, why }));
  }

  /** @throws what keeps the server from being told: the claim is to be asked for again then */
  async settle(claim: ClaimedJob): Promise<EndedClaimVerdict> {
    const verdict = await this.#verdictOn(claim);
    if (verdict.kind !== 'hand-back') this.#handedBack.delete(claim.jobId);
    return verdict;
  }

  async #verdictOn(claim: ClaimedJob): Promise<EndedClaimVerdict> {
    const { records, locker } = this.#options;
    const own = await records.newest(claim.jobId);
    if (own === null) return unknown;
    const age = ageOf(claim.leaseToken, own);
    const isEnded = ends.has(own.status);
    // A failed job may be tried again, and an end that did not count leaves the job to others.
    if (age === 'newer' && (own.status !== 'completed' || own.telling !== 'counted')) return unknown;
    if (age === 'same' && !isEnded && own.status !== 'released') return unknown;
    // The outbox ends it, and its lease with it.
    if (age === 'same' && own.telling === 'under-way') return settled;
    // The answer that brought the claim may be older than what the server has been told since.
    if ((await locker.heartbeat(claim.jobId)) === 'stale') return settled;
    if (isEnded && own.telling !== 'under-way') return this.#tellAgain(claim, own);
    if (own.status === 'released' && own.hasBegun && claim.onLost !== 'restart') return this.#fail(claim, own);
    return this.#handBack(claim, own);
  }

  async #tellAgain(claim: ClaimedJob, { leaseToken, status, result, error }: NewestClaim): Promise<EndedClaimVerdict> {
    const { gateway, isPermanent, locker, logger, onToldAgain } = this.#options;
    const { jobId } = claim;
    const reason = `the server gave out a job that ended here as ${status}, under lease token ${leaseToken}: the database seems to be restored from an older copy; its end is sent again`;
    const events = (claim.known?.lastSeq ?? 0) > 0 ? [] : eventsOf(await this.#journal(jobId));
    const drafts = [...events, { kind: 'complete', payload: { status, result, error } as JsonObject }];
    const outbox = passingOutbox(claim, drafts);
    const sync = new OutboxSync({
      outbox,
      gateway,
      isPermanent,
      onRefused: ({ kind }, refusal) =>
        logger.log('critical', `the database refused what is sent again: ${String(refusal)}`, { job_id: jobId, kind }),
    });
    if (this.#isNews(jobId)) logger.log('critical', `${reason}; ${await this.#remedy()}`, { job_id: jobId });
    await sync.drain(new AbortController().signal);
    if ((await outbox.peek(1)).length > 0) throw new Error(`the end of job ${jobId} could not be sent again yet`);
    locker.forget(jobId, claim.leaseToken);
    onToldAgain?.(jobId, reason);
    return settled;
  }

  async #fail({ jobId, leaseToken }: ClaimedJob, own: NewestClaim): Promise<EndedClaimVerdict> {
    const { locker, logger, onFailed } = this.#options;
    const why = `the server gave it out under lease token ${leaseToken}, and it was begun here under ${own.leaseToken} and given away without an end: the database seems to be restored from an older copy`;
    const { code, message } = recordError(why, null);
    const error = { code: String(code), category: 'permanent', message } as const;
    await locker.release(jobId, { status: 'failed', error: { ...error } });
    logger.log('critical', `a claimed job has failed: ${message} ${await this.#remedy()}`, { job_id: jobId });
    onFailed?.(jobId, error);
    return settled;
  }

  async #handBack({ jobId, leaseToken }: ClaimedJob, own: NewestClaim): Promise<EndedClaimVerdict> {
    const reason = `its lease token ${leaseToken} was given before (this robot has seen ${own.leaseToken} for the job): the database seems to be restored from an older copy`;
    const why = `${reason}; it is handed back until its token is new; ${await this.#remedy()}`;
    if (this.#isNews(jobId))
      this.#options.logger.log('critical', `a claimed job cannot begin: ${why}`, { job_id: jobId });
    this.#handedBack.delete(jobId);
    if (this.#handedBack.size < maxTold) this.#handedBack.set(jobId, { why, at: this.#options.clock.monotonic() });
    return { kind: 'hand-back', reason };
  }

  #isNews(jobId: string): boolean {
    if (this.#told.has(jobId)) return false;
    if (this.#told.size >= maxTold) this.#told.clear();
    this.#told.add(jobId);
    return true;
  }

  async #remedy(): Promise<string> {
    const greatest = await this.#options.records.greatestToken();
    return `in the database, run select setval('casare.lease_token_seq', N) with an N above every token that was given before: ${greatest} is the greatest that this robot has seen`;
  }

  /** Nothing that cannot be read any more keeps the end from being told. */
  async #journal(jobId: string): Promise<readonly JournalEntry[]> {
    try {
      return await this.#options.records.journal(jobId);
    } catch (error) {
      if (isRecordLost(error)) return [];
      throw error;
    }
  }
}

function ageOf(token: string, own: NewestClaim): 'older' | 'same' | 'newer' {
  if (token === own.leaseToken) return 'same';
  return own.leaseToken === '' || BigInt(token) > BigInt(own.leaseToken) ? 'newer' : 'older';
}

/** An outbox for what is not stored again: it waits in the journal, and in the server's claim. */
function passingOutbox(
  { jobId, leaseToken }: Lease,
  drafts: readonly { readonly kind: string; readonly payload: JsonObject }[],
): OutboxPort {
  let left: readonly OutboxItem[] = drafts.map(({ kind, payload }, index) => {
    return { id: index + 1, seq: index + 1, jobId, leaseToken, kind, payload };
  });
  const remove = async (ids: readonly number[]): Promise<void> => {
    left = left.filter(({ id }) => !ids.includes(id));
  };
  return {
    peek: async (limit) => left.slice(0, limit),
    ack: remove,
    supersede: remove,
    fail: (id) => remove([id]),
  };
}
