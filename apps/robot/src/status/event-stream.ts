/**
 * Server-sent events for the page. Every event is a whole state, not a change of one: a reader that is slow misses
 * some, gets the newest of each kind when it has taken what it was sent, and one that comes back needs no history. Readers are bounded in number, and
 * one that takes nothing for half a minute is let go (I7).
 */
import type { ServerResponse } from 'node:http';
import type { Clock } from '@casare/execution';

interface Reader {
  readonly response: ServerResponse;
  /** Monotonic ms since which its buffer has been full; null while it is not. */
  fullSince: number | null;
  /** Events of which the newest could not be written to it. */
  readonly missed: Set<string>;
}

export const eventStreamHeaders = { 'content-type': 'text/event-stream; charset=utf-8' } as const;

const maxReaders = 20;
const patienceMs = 30_000;
/** How soon a browser comes back after it lost the stream, in ms. */
const retryMs = 2_000;

export class EventStream {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #readers = new Set<Reader>();
  readonly #last = new Map<string, string>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** Takes a reader, and tells it what is known; false when there are too many. */
  add(response: ServerResponse): boolean {
    if (this.#readers.size >= maxReaders) return false;
    const reader: Reader = { response, fullSince: null, missed: new Set() };
    this.#readers.add(reader);
    const gone = (): void => void this.#readers.delete(reader);
    response.once('close', gone);
    response.once('error', gone);
    response.on('drain', () => {
      reader.fullSince = null;
      this.#catchUp(reader);
    });
    response.writeHead(200, eventStreamHeaders);
    this.#write(reader, `retry: ${retryMs}\n\n`);
    for (const event of this.#last.keys()) reader.missed.add(event);
    this.#catchUp(reader);
    return true;
  }

  /** @param data one line of JSON; what the readers already know is not sent again */
  send(event: string, data: string): void {
    if (this.#last.get(event) === data) return;
    this.#last.set(event, data);
    for (const reader of this.#readers) {
      reader.missed.add(event);
      this.#catchUp(reader);
    }
  }

  /** Says that the stream lives, to those that hear nothing else. */
  beat(): void {
    for (const reader of this.#readers) this.#write(reader, ': still here\n\n');
  }

  /** Tells a reader the newest of what it has missed, as far as it takes it. */
  #catchUp(reader: Reader): void {
    for (const event of reader.missed) {
      const data = this.#last.get(event);
      if (data !== undefined && !this.#write(reader, textOf(event, data))) return;
      reader.missed.delete(event);
    }
  }

  /** What was sent is history: the next reader is told anew. */
  forget(): void {
    this.#last.clear();
  }

  close(): void {
    for (const { response } of this.#readers) response.destroy();
    this.#readers.clear();
  }

  /** Whether it was taken; nothing is, while what was sent before is on its way. */
  #write(reader: Reader, text: string): boolean {
    const { response, fullSince } = reader;
    if (fullSince !== null) {
      if (this.#clock.monotonic() - fullSince > patienceMs) response.destroy();
      return false;
    }
    if (!response.write(text)) reader.fullSince = this.#clock.monotonic();
    return true;
  }
}

function textOf(event: string, data: string): string {
  return `event: ${event}\ndata: ${data}\n\n`;
}
