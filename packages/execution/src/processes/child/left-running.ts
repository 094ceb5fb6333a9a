/** What a job leaves running in the process that ran it: timers, sockets and children that keep the process alive. */

/** Work that is over by itself in no time. */
const passing = new Set([
  'Immediate',
  'TickObject',
  'FSReqCallback',
  'FSReqPromise',
  'GetAddrInfoReqWrap',
  'WriteWrap',
  'ShutdownWrap',
  'CloseReq',
]);

/** The kinds of what runs now, one entry for each. */
export function nowRunning(): readonly string[] {
  return process.getActiveResourcesInfo().filter((kind) => !passing.has(kind));
}

/** @param before what ran already when the job began */
export function leftRunning(before: readonly string[]): readonly string[] {
  const known = [...before];
  return nowRunning().filter((kind) => {
    const index = known.indexOf(kind);
    if (index === -1) return true;
    known.splice(index, 1);
    return false;
  });
}
