/** Errors on their way between threads: as data, and as this package's errors again on the other side. */
import { CorruptRecordError, StoreError, type StoreErrorCode } from '../errors.ts';

export interface WireError {
  readonly code: StoreErrorCode | null;
  readonly message: string;
  readonly stack: string | null;
  /** Set for damaged records. */
  readonly record: { readonly jobId: string; readonly seq: number | null; readonly detail: string } | null;
}

export function toWire(error: unknown): WireError {
  const { message, stack = null } = error instanceof Error ? error : new Error(String(error));
  const code = error instanceof StoreError ? error.code : null;
  const record =
    error instanceof CorruptRecordError ? { jobId: error.jobId, seq: error.seq, detail: error.detail } : null;
  return { code, message, stack, record };
}

export function fromWire({ code, message, stack, record }: WireError): Error {
  if (record !== null) return new CorruptRecordError(record.jobId, record.seq, record.detail);
  if (code !== null) return new StoreError(code, message);
  const error = new Error(message);
  if (stack !== null) error.stack = stack;
  return error;
}
