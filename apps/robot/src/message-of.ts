/** What a thrown value says, for logs and reports: in the words of an operator, not of the code that was called. */
export function messageOf(error: unknown): string {
  const { code, class: kind } = (error ?? {}) as { readonly code?: unknown; readonly class?: unknown };
  if (code === 'NOT_CONNECTED' && kind === 'P') return notConnected;
  return error instanceof Error ? error.message : String(error);
}

/** Before the first attempt to connect, and after the last. */
const notConnected =
  'not connected to the database, because the robot is starting or stopping; jobs go on, and what there is to tell is kept until it is connected';
