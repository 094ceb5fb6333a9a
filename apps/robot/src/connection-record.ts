/** Tells the audit log when the robot reaches the database, loses it, and reaches it again. */
import type { AuditLogger } from '@casare/observability';

type ConnectionAudit = Pick<AuditLogger, 'connectionEstablished' | 'connectionLost' | 'connectionRestored'>;

/** A connection that comes after a loss is a restored one; what the robot has ended by itself was not lost. */
export class ConnectionRecord {
  readonly #audit: ConnectionAudit | null;
  #isLost = false;

  /** @param audit null: nothing is recorded */
  constructor(audit: ConnectionAudit | null) {
    this.#audit = audit;
  }

  connected(): void {
    if (this.#isLost) this.#audit?.connectionRestored();
    else this.#audit?.connectionEstablished();
    this.#isLost = false;
  }

  /** @param error null: the robot itself has ended it */
  disconnected(error: { readonly code: string; readonly message: string } | null): void {
    if (error === null) return;
    this.#isLost = true;
    this.#audit?.connectionLost({ code: error.code, problem: error.message });
  }
}
