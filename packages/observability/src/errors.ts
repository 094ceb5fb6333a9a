/** Errors of this package. They cross package borders by `code` and `category`, never by `instanceof`. */

/**
 * `AUDIT_WRITE_FAILED`: not on disk. `AUDIT_SYNC_FAILED`: written, but not proven durable. `AUDIT_FOLDER_OWNED`: another
 * writer has the folder. `AUDIT_KEY_WRONG`: a key file holds something else. `AUDIT_UNREADABLE`: what should be
 * verified or exported cannot be read. `AUDIT_RETENTION_REFUSED`: files that are due to be removed stay, because they are not
 * as they were written.
 */
export type AuditErrorCode =
  | 'AUDIT_WRITE_FAILED'
  | 'AUDIT_SYNC_FAILED'
  | 'AUDIT_CLOSED'
  | 'AUDIT_FOLDER_OWNED'
  | 'AUDIT_KEY_WRONG'
  | 'AUDIT_UNREADABLE'
  | 'AUDIT_RETENTION_REFUSED';

/** The audit log cannot do as promised; somebody must look at it. */
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
