/** Exit codes, so that scripts and supervisors can tell what happened. 64 and above follow sysexits.h. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  invalidWorkflow: 65,
  unavailable: 69,
  internal: 70,
  config: 78,
  cancelled: 130,
} as const;
