/** Exit codes, so that scripts and supervisors can tell what happened. 64 and above follow sysexits.h. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** Of `run`: it waits for an answer about what may or may not have happened. */
  inDoubt: 3,
  /** Of `run`: it stopped on the way, and can be gone on with. */
  suspended: 4,
  invalidWorkflow: 65,
  unavailable: 69,
  internal: 70,
  /** Somebody else holds what is needed; try again when they are done. */
  busy: 75,
  /** It belongs to another account. */
  forbidden: 77,
  config: 78,
  cancelled: 130,
} as const;
