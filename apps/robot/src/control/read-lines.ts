/** The lines of a stream, one after the other: the next is read when the last has been dealt with. */

export class LineTooLongError extends Error {
  readonly code = 'LINE_TOO_LONG';
}

/**
 * Ends with the stream; what follows the last newline is no line.
 *
 * @throws LineTooLongError as soon as more than `maxLength` characters have come without a newline
 */
export async function* readLines(chunks: AsyncIterable<string>, maxLength: number): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    rest += chunk;
    for (let at = rest.indexOf('\n'); at !== -1; at = rest.indexOf('\n')) {
      if (at > maxLength) break;
      const line = rest.slice(0, at);
      rest = rest.slice(at + 1);
      yield line;
    }
    if (rest.length > maxLength) throw new LineTooLongError(`a line of more than ${maxLength} characters`);
  }
}
