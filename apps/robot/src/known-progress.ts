/**
 * What the server knows of a claim, compared with what the store here has of it. A home that was restored from a backup, or
 * a machine from a snapshot, has an old store with old marks beside it, and only the server can tell: it has more events of
 * the job than were ever sent from here, or was told of a longer journal. Such a job must not go on as if nothing had
 * happened (I3): it would do again what it has done.
 *
 * After a start, jobs of an earlier process wait for the server's first word, if it can be had; what is sent to the server
 * waits for it as well, since afterwards nobody could tell what was known before.
 */
import type { ClaimedJob, ClaimProgress, Clock, Lease } from '@casare/execution';
import type { Distrust } from './instance/instance-file.ts';

/** Less is here than the server knows of; outbox entries must be numbered on behind `lastSeq`. */
export interface Behind {
  readonly why: string;
  readonly lastSeq: number;
}

export interface KnownProgressOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /**
   * What jobs do that the server was not heard about: `wait` for it for a while, `go` on, or `stay` until it was heard.
   * Absent: they do not wait.
   */
  readonly withoutServer?: () => 'wait' | 'go' | 'stay';
}

/** How long jobs wait for the server's first word, in ms: enough for a connection that is slow to be made. */
const firstWordMs = 10_000;
const lookMs = 100;

export class KnownProgress {
  readonly #options: KnownProgressOptions;
  /** Jobs of an earlier process that the server has not been heard about, with what the store had of them. */
  readonly #unheard = new Map<string, Lease & { readonly own: ClaimProgress }>();
  #distrust: Distrust | null = null;
  readonly #behind = new Map<string, Lease & { readonly behind: Behind }>();

  constructor(options: KnownProgressOptions) {
    this.#options = options;
  }

  /** A job of an earlier process was taken up. */
  takenUp({ jobId, leaseToken, own }: Lease & { readonly own?: ClaimProgress }): void {
    if (own !== undefined) this.#unheard.set(jobId, { jobId, leaseToken, own });
  }

  /** Whether the server was heard about every job of an earlier process for which `isHere`. */
  isComplete(isHere: (lease: Lease) => boolean): boolean {
    return ![...this.#unheard.values()].some(isHere);
  }

  /** The server's first word about a job. `ended`: it has ended there. Null: it knows of nothing that is not here. */
  hear({ jobId, leaseToken }: Lease, known: ClaimProgress | 'ended' | null): 'behind' | 'ended' | null {
    const taken = this.#unheard.get(jobId);
    if (taken?.leaseToken !== leaseToken) return null;
    this.#unheard.delete(jobId);
    if (known === 'ended') return known;
    const { why } = this.#distrustOf(leaseToken) ?? {};
    if (why !== undefined) {
      const behind = { why, lastSeq: known?.lastSeq ?? 0 };
      this.#behind.set(jobId, { jobId, leaseToken, behind });
      return 'behind';
    }
    if (known === null) return null;
    return this.#compare({ jobId, leaseToken }, taken.own, known) ? 'behind' : null;
  }

  /** Whether a claim was made before, and more was done under it than the store has. */
  isClaimBehind({ jobId, leaseToken, known }: ClaimedJob, own: ClaimProgress): boolean {
    return known !== undefined && this.#compare({ jobId, leaseToken }, own, known);
  }

  /** What was claimed before may be under way elsewhere: none of it goes on unheard. */
  distrust(distrust: Distrust): void {
    this.#distrust = distrust;
  }

  behindOf({ jobId, leaseToken }: Lease): Behind | null {
    const found = this.#behind.get(jobId);
    return found?.leaseToken === leaseToken ? found.behind : null;
  }

  /** The server has taken another entry under a number that was used here again. */
  contradicted({ jobId, leaseToken }: Lease): void {
    const why =
      'the server has other events under the numbers that this store has given: the store is older than what was sent from it';
    this.#behind.set(jobId, { jobId, leaseToken, behind: { why, lastSeq: 0 } });
  }

  /** Resolves when the server was heard about the job, cannot be asked, or has taken too long. */
  async firstWord({ jobId, leaseToken }: Lease, signal: AbortSignal): Promise<void> {
    const { clock, withoutServer } = this.#options;
    for (let waited = 0; this.#unheard.get(jobId)?.leaseToken === leaseToken; waited += lookMs) {
      const now = this.#distrustOf(leaseToken) !== null ? 'stay' : (withoutServer?.() ?? 'go');
      if (now === 'go' || (now === 'wait' && waited >= firstWordMs)) return;
      await clock.sleep(lookMs, signal);
    }
  }

  /** Whether jobs wait for it at all. */
  get isAsked(): boolean {
    return this.#options.withoutServer !== undefined;
  }

  #distrustOf(leaseToken: string): Distrust | null {
    const distrust = this.#distrust;
    return distrust !== null && BigInt(leaseToken) <= BigInt(distrust.upToToken) ? distrust : null;
  }

  #compare({ jobId, leaseToken }: Lease, own: ClaimProgress, known: ClaimProgress): boolean {
    const found: string[] = [];
    if (known.lastSeq > own.lastSeq)
      found.push(`the server has its events up to number ${known.lastSeq}, this store up to ${own.lastSeq}`);
    if (known.recorded > own.recorded)
      found.push(`the server knows of ${known.recorded} entries in its journal, this store has ${own.recorded}`);
    if (found.length === 0) return false;
    const why = `${found.join('; ')}: the store is an older copy, from a backup or a snapshot`;
    this.#behind.set(jobId, { jobId, leaseToken, behind: { why, lastSeq: known.lastSeq } });
    return true;
  }
}
