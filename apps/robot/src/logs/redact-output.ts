/** What nodes print goes to the robot's log: without the secrets that this process knows (I8). */

export function redactOutput(streams: readonly NodeJS.WriteStream[], redact: (text: string) => string): void {
  for (const stream of streams) {
    const write = stream.write.bind(stream) as (chunk: unknown, ...rest: readonly unknown[]) => boolean;
    stream.write = ((chunk: unknown, ...rest: readonly unknown[]) =>
      write(typeof chunk === 'string' ? redact(chunk) : Buffer.from(redact(textOf(chunk))), ...rest)) as typeof write;
  }
}

/** Bytes that are no text come out as replacement characters: they go into a log. */
function textOf(chunk: unknown): string {
  return chunk instanceof Uint8Array ? Buffer.from(chunk).toString('utf8') : String(chunk);
}
