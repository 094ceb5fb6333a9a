/** Errors carry a string `code`; tell them apart by it, not by their class. */

export type LocalSupabaseErrorCode =
  /** Another process has the data folder open. */
  | 'DATA_DIR_IN_USE'
  /** The port that was asked for is taken. */
  | 'PORT_IN_USE'
  /** A migration did not apply, or the folder with the migrations is missing. */
  | 'MIGRATION_FAILED'
  /** The binaries of the real servers are not there for this platform, or are not installed. */
  | 'BINARY_MISSING'
  /** A server process did not start, or ended on its own. */
  | 'SERVER_FAILED'
  /** The server has been stopped. */
  | 'STOPPED';

export class LocalSupabaseError extends Error {
  readonly code: LocalSupabaseErrorCode;

  constructor(code: LocalSupabaseErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LocalSupabaseError';
    this.code = code;
  }
}

/** What PostgreSQL refused in `sql()`; `code` is its SQLSTATE. */
export class SqlError extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor(message: string, code: string, hint: string | undefined) {
    super(message);
    this.name = 'SqlError';
    this.code = code;
    this.hint = hint;
  }
}
