/** What a process prints: the last of it is kept for the error when it dies, some of it is logged, the rest dropped. */
import type { Readable } from 'node:stream';
import type { Logger } from '../ports.ts';

const TAIL_CHARS = 4_000;
/** A process that prints more lines than this between two resets is not worth a robot's log. */
const MAX_LINES = 200;
const MAX_LINE_CHARS = 1_000;

export class OutputTail {
  readonly #logger: Logger;
  readonly #pid: number;
  #tail = '';
  #lines = 0;

  constructor(streams: readonly (Readable | null)[], logger: Logger, pid: number) {
    this.#logger = logger;
    this.#pid = pid;
    for (const stream of streams) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.#take(text));
      stream?.on('error', () => undefined);
    }
  }

  get text(): string {
    return this.#tail.trim();
  }

  /** A new job: its output counts from here. */
  reset(): void {
    this.#tail = '';
    this.#lines = 0;
  }

  #take(text: string): void {
    this.#tail = (this.#tail + text).slice(-TAIL_CHARS);
    for (const line of text.split('\n')) {
      if (line.trim() === '') continue;
      this.#lines += 1;
      if (this.#lines > MAX_LINES) return;
      const message = this.#lines === MAX_LINES ? 'further output is not logged' : line.slice(0, MAX_LINE_CHARS);
      this.#logger.log('debug', `job process: ${message}`, { pid: this.#pid });
    }
  }
}
