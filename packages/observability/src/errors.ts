/** Errors of this package. They cross package borders by `code` and `category`, never by `instanceof`. */

/** `AUDIT_WRITE_FAILED`: not on disk. `AUDIT_SYNC_FAILED`: written, but not proven durable. */
export type AuditErrorCode = 'AUDIT_WRITE_FAILED' | 'AUDIT_SYNC_FAILED' | 'AUDIT_CLOSED';

/** An audit entry could not be recorded as promised; somebody must look at the disk. */
export class AuditError extends Error {
  readonly code: AuditErrorCode;
  readonly category = 'permanent';

  constructor(code: AuditErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'AuditError';
    this.code = code;
  }
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
