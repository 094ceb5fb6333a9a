/** Trace ids in the form of W3C Trace Context: 32 lower-case hex digits, not all zeros. */

const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** A job whose id is a UUID needs no other trace id: its digits are one. */
export function traceIdOf(jobId: string | undefined): string | undefined {
  return jobId !== undefined && uuid.test(jobId) ? jobId.replaceAll('-', '').toLowerCase() : undefined;
}
