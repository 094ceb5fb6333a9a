/**
 * Errors of this package. They cross package borders by `code` and `category`, never by `instanceof`.
 * Nothing was written when one of them is thrown, with the exception of `STORE_IO`, which is ambiguous.
 */

/** Letters of the project's failure classes: S retry, O an operator must act, P permanent. */
export type FailureClass = 'S' | 'O' | 'P';

export type StoreErrorCode =
  /** Another process holds this store. */
  | 'STORE_OWNED'
  /** Used after `close()`. */
  | 'STORE_CLOSED'
  /** The size limit or the disk is exhausted. */
  | 'STORE_FULL'
  /** Another connection kept the file locked for too long, or too many writes are waiting. */
  | 'STORE_BUSY'
  /** The disk failed; whether the last write reached it is not known. */
  | 'STORE_IO'
  /** The file cannot be opened or written with the present rights. */
  | 'STORE_ACCESS'
  /** The file, or a record in it, is damaged. */
  | 'STORE_CORRUPT'
  /** The file was written by a newer version of this package. */
  | 'STORE_TOO_NEW'
  /** The file is a database of something else. */
  | 'STORE_FOREIGN'
  /** The file system or the SQLite library lacks what durability needs. */
  | 'STORE_UNSUPPORTED'
  /** The store belongs to another robot, which has left something open in it. */
  | 'STORE_OTHER_ROBOT'
  | 'UNKNOWN_JOB'
  /** The same job, cached again with different facts. */
  | 'JOB_CONFLICT'
  /** The job has ended; final is final (I5). */
  | 'JOB_FINAL'
  | 'JOB_NOT_FINAL'
  /** The store lost part of the job's record: it may end, but not go on. */
  | 'JOB_IN_DOUBT'
  /** The job has been claimed again under another token (I1). */
  | 'STALE_LEASE'
  | 'JOB_ALREADY_STARTED'
  | 'HANDLE_ENDED'
  | 'NOT_LOADED'
  | 'NOT_SERIALIZABLE'
  /** More at once, or of one job, than this store ever takes, however much room there is. */
  | 'VALUE_TOO_LARGE'
  /** A secret is to be written or read, and the key for it is not there. */
  | 'KEY_MISSING'
  /** A sealed value does not open with the key it names. */
  | 'KEY_WRONG'
  | 'INVALID_ARGUMENT';

const classOfCode: Readonly<Record<StoreErrorCode, FailureClass>> = {
  STORE_OWNED: 'O',
  STORE_CLOSED: 'P',
  STORE_FULL: 'O',
  STORE_BUSY: 'S',
  STORE_IO: 'O',
  STORE_ACCESS: 'O',
  STORE_CORRUPT: 'O',
  STORE_TOO_NEW: 'O',
  STORE_FOREIGN: 'O',
  STORE_UNSUPPORTED: 'O',
  STORE_OTHER_ROBOT: 'O',
  UNKNOWN_JOB: 'P',
  JOB_CONFLICT: 'P',
  JOB_FINAL: 'P',
  JOB_NOT_FINAL: 'P',
  JOB_IN_DOUBT: 'O',
  KEY_MISSING: 'O',
  KEY_WRONG: 'O',
  STALE_LEASE: 'P',
  JOB_ALREADY_STARTED: 'P',
  HANDLE_ENDED: 'P',
  NOT_LOADED: 'P',
  NOT_SERIALIZABLE: 'P',
  VALUE_TOO_LARGE: 'P',
  INVALID_ARGUMENT: 'P',
};

/** How a failure of this package is to be treated; the shape other packages' error rules have, too. */
export interface StoreErrorVerdict {
  readonly category: 'transient' | 'permanent';
  readonly class: FailureClass;
  readonly code: StoreErrorCode;
  /** True when the write may be on disk although it was reported as failed. */
  readonly ambiguous: boolean;
}

export class StoreError extends Error {
  readonly code: StoreErrorCode;
  readonly category: 'transient' | 'permanent';

  constructor(code: StoreErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
    this.category = classOfCode[code] === 'S' ? 'transient' : 'permanent';
  }
}

/** Who holds a store. */
export interface StoreHolder {
  readonly pid: number;
  readonly host: string;
  /** ISO 8601 time at which it opened the store. */
  readonly since: string;
  readonly robotId: string;
}

/** Another process (or another store object of this one) owns the file. */
export class StoreOwnedError extends StoreError {
  /** Null when the holder's note could not be read. */
  readonly holder: StoreHolder | null;

  constructor(path: string, holder: StoreHolder | null) {
    const who =
      holder === null
        ? 'another process'
        : `process ${holder.pid} on host ${holder.host} (robot ${holder.robotId}) since ${holder.since}`;
    super('STORE_OWNED', `The store ${path} is held by ${who}. One store belongs to one robot process at a time.`);
    this.name = 'StoreOwnedError';
    this.holder = holder;
  }
}

/** What a robot finds of another one in a store. */
export interface OtherRobotsWork {
  /** The robot that the store belongs to. */
  readonly ownerId: string;
  /** The one that is to open it. */
  readonly robotId: string;
  /** Jobs of other robots that have not ended. */
  readonly unfinished: number;
  /** Jobs of other robots that are over, and of which something waits to be delivered. */
  readonly undelivered: number;
}

/** A store is another robot's, and something in it waits for that one. */
export class StoreOtherRobotError extends StoreError implements OtherRobotsWork {
  readonly path: string;
  readonly ownerId: string;
  readonly robotId: string;
  readonly unfinished: number;
  readonly undelivered: number;

  constructor(path: string, { ownerId, robotId, unfinished, undelivered }: OtherRobotsWork) {
    super(
      'STORE_OTHER_ROBOT',
      `The store ${path} belongs to robot ${ownerId}, and this is robot ${robotId}. It holds ${jobs(unfinished)} of other robots ` +
        `not finished, and ${jobs(undelivered)} not delivered in full; two robots that go on with the same jobs do their steps twice. ` +
        `Open it with robotId "${ownerId}", or give this robot a file of its own. If robot ${ownerId} is gone for good, ` +
        'open it with adopt: true: its jobs keep its id, and what becomes of them is yours to decide.',
    );
    this.name = 'StoreOtherRobotError';
    this.path = path;
    this.ownerId = ownerId;
    this.robotId = robotId;
    this.unfinished = unfinished;
    this.undelivered = undelivered;
  }
}

function jobs(count: number): string {
  return count === 1 ? '1 job' : `${count} jobs`;
}

/** More is to be written, at once or by one job, than the store ever takes: room that comes back does not help. */
export class ValueTooLargeError extends StoreError {
  /** What was to be written, in bytes; of a job, together with what is kept of it. */
  readonly bytes: number;
  readonly limitBytes: number;

  constructor(what: string, bytes: number, limitBytes: number, how: 'at once' | 'by a job' = 'at once') {
    const share =
      how === 'at once'
        ? 'at once, half of what steps may use of its limit (maxBytes)'
        : 'of one job: all of what steps may use of its limit (maxBytes), less what its empty tables take';
    super(
      'VALUE_TOO_LARGE',
      `${what} takes ${bytes} bytes, and this store takes at most ${limitBytes} ${share}. Keep it in a file, or raise the limit.`,
    );
    this.name = 'ValueTooLargeError';
    this.bytes = bytes;
    this.limitBytes = limitBytes;
  }
}

/** A stored record does not match its checksum, or records are missing: no value of it is handed out. */
export class CorruptRecordError extends StoreError {
  readonly jobId: string;
  /** Sequence number of the damaged journal or outbox record; null when it is the job's own record. */
  readonly seq: number | null;

  readonly detail: string;

  constructor(jobId: string, seq: number | null, detail: string) {
    const where = seq === null ? `job ${jobId}` : `job ${jobId}, seq ${seq}`;
    super('STORE_CORRUPT', `Damaged record of ${where}: ${detail}.`);
    this.name = 'CorruptRecordError';
    this.jobId = jobId;
    this.seq = seq;
    this.detail = detail;
  }
}

/** The verdict on an error of this package; null for any other error. */
export function classifyStoreError(error: unknown): StoreErrorVerdict | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  const code = error.code;
  if (typeof code !== 'string' || !Object.hasOwn(classOfCode, code)) return null;
  const known = code as StoreErrorCode;
  const failureClass = classOfCode[known];
  return {
    category: failureClass === 'S' ? 'transient' : 'permanent',
    class: failureClass,
    code: known,
    ambiguous: known === 'STORE_IO',
  };
}
