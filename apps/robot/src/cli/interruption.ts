/** Commands that go on until a person has seen enough. */

/** The signal aborts at Ctrl-C, SIGTERM, and when the reader of stdout is gone. */
export async function untilInterrupted(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const end = new AbortController();
  const stop = (): void => end.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, stop);
  process.stdout.on('error', stop);
  // What waits for the next line must keep the process, although its timers do not.
  const alive = setInterval(() => undefined, 60_000);
  try {
    await work(end.signal);
  } finally {
    clearInterval(alive);
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, stop);
  }
}
