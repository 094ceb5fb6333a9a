/**
 * Anchors the audit log on the server: the newest checkpoint when an interval is over, and the last one of every
 * segment, so that whoever has this machine, key included, cannot write the log anew unseen. What an outage keeps from
 * being sent is sent afterwards; a server that holds something else is believed, and that is told loudly.
 */
import type { Clock, JsonObject, JsonValue, Logger } from '@casare/execution';
import { systemClock } from '@casare/execution';
import { AuditEventType, type AuditLogger, type Checkpoint } from '@casare/observability';
import { messageOf } from './message-of.ts';

export interface AnchorServer {
  readonly isConnected: boolean;
  rpc(
    name: string,
    args: JsonObject,
    options?: { readonly signal?: AbortSignal; readonly idempotent?: boolean },
  ): Promise<JsonValue>;
}

export interface AuditAnchorsOptions {
  readonly audit: Pick<AuditLogger, 'checkpoint' | 'log' | 'publicKey'>;
  readonly server: AnchorServer;
  /** Ms between two anchors within a segment. */
  readonly intervalMs: number;
  readonly logger: Logger;
  readonly clock?: Pick<Clock, 'monotonic'>;
}

/** Ends of segments that wait for the server; older ones are left out (I7): the newest anchor covers them. */
const mostWaiting = 200;
/** What the server says when it holds another log than this one. */
const isOtherLog = /^(?:p_hash|p_seq): /;

export class AuditAnchors {
  readonly #options: AuditAnchorsOptions;
  readonly #clock: Pick<Clock, 'monotonic'>;
  /** The last checkpoint of each segment, by its number, until it is sent. */
  readonly #waiting = new Map<number, Checkpoint>();
  #sentAt = Number.NEGATIVE_INFINITY;
  #sentSeq = 0;
  #isRefusalTold = false;

  constructor(options: AuditAnchorsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** A checkpoint that was written. */
  add(checkpoint: Checkpoint): void {
    if (checkpoint.signature === null) return;
    this.#waiting.set(checkpoint.segment, checkpoint);
    for (const segment of this.#waiting.keys()) {
      if (this.#waiting.size <= mostWaiting) return;
      this.#waiting.delete(segment);
    }
  }

  /**
   * Sends what is due; `now`: whatever there is. Does nothing while disconnected. Throws what keeps an anchor from being
   * sent; it is sent the next time.
   */
  async send(signal: AbortSignal, { now = false }: { readonly now?: boolean } = {}): Promise<void> {
    const { audit, server, intervalMs } = this.#options;
    if (!server.isConnected) return;
    const isDue = now || this.#clock.monotonic() - this.#sentAt >= intervalMs;
    const newest = isDue ? audit.checkpoint() : null;
    if (newest !== null && newest.seq > this.#sentSeq) this.add(newest);
    const last = Math.max(...this.#waiting.keys());
    for (const [segment, checkpoint] of [...this.#waiting].sort(([a], [b]) => a - b)) {
      if (segment === last && !isDue) return;
      await this.#sendOne(checkpoint, signal);
      if (this.#waiting.get(segment) === checkpoint) this.#waiting.delete(segment);
      this.#sentSeq = checkpoint.seq;
    }
    if (isDue) this.#sentAt = this.#clock.monotonic();
  }

  async #sendOne(
    { robot_id, seq, hash, signature, at, segment, key_id }: Checkpoint,
    signal: AbortSignal,
  ): Promise<void> {
    const { server, audit } = this.#options;
    const anchor = { p_robot_id: robot_id, p_seq: seq, p_hash: hash, p_signature: signature, p_at: at };
    const args = { ...anchor, p_segment: segment, p_key_id: key_id, p_public_key: audit.publicKey };
    try {
      await server.rpc('anchor_audit', args, { signal, idempotent: true });
    } catch (error) {
      if (!isOtherLog.test(messageOf(error))) throw error;
      this.#tellRefusal(messageOf(error), seq);
    }
  }

  #tellRefusal(problem: string, seq: number): void {
    if (this.#isRefusalTold) return;
    this.#isRefusalTold = true;
    const { logger, audit } = this.#options;
    logger.log('critical', `the server refuses an anchor of the audit log: ${problem}; verify it with its anchors`);
    const details = { code: 'AUDIT_ANCHOR_REFUSED', seq, problem };
    audit.log(AuditEventType.ERROR_PERMANENT, 'The server holds anchors of another audit log', { details });
  }
}
