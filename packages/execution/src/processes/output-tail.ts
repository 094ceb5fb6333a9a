/** What a process prints: the last of it is kept for the error when it dies, some of it is logged, the rest dropped. */
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '../ports.ts';

const TAIL_CHARS = 4_000;
/** A process that prints more lines than this between two resets is not worth a robot's log. */
const MAX_LINES = 200;
const MAX_LINE_CHARS = 1_000;
/** A line without an end is cut here. */
const MAX_UNFINISHED_CHARS = 64 * 1024;

export class OutputTail {
  readonly #logger: Logger;
  readonly #pid: number;
  #jobId: string | null = null;
  #tail = '';
  #lines = 0;

  constructor(streams: readonly (Readable | null)[], logger: Logger, pid: number) {
    this.#logger = logger;
    this.#pid = pid;
    for (const stream of streams) {
      // Whole lines, so that a secret in one is seen as a whole.
      let unfinished = '';
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#tail = (this.#tail + text).slice(-TAIL_CHARS);
        const lines = (unfinished + text).split('\n');
        unfinished = lines.pop() ?? '';
        if (unfinished.length > MAX_UNFINISHED_CHARS) unfinished = '';
        for (const line of lines) this.#log(line);
      });
      stream?.on('end', () => this.#log(unfinished));
      stream?.on('error', () => undefined);
    }
  }

  get text(): string {
    return this.#tail.trim();
  }

  /** A new job: its output counts from here, and is its own. */
  reset(jobId: string): void {
    this.#jobId = jobId;
    this.#tail = '';
    this.#lines = 0;
  }

  /** Resolves when what was printed before now has been read: it lies in the pipes already. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 2; turn += 1) await nextTurn();
  }

  #log(line: string): void {
    if (line.trim() === '') return;
    this.#lines += 1;
    if (this.#lines > MAX_LINES) return;
    const message = this.#lines === MAX_LINES ? 'further output is not logged' : line.slice(0, MAX_LINE_CHARS);
    const job = this.#jobId === null ? {} : { job_id: this.#jobId };
    this.#logger.log('info', `job process: ${message}`, { pid: this.#pid, ...job });
  }
}
