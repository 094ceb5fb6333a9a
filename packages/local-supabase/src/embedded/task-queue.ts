/** Runs tasks one after the other; refuses new ones when too many wait (I7) or when it is closed. */
import { LocalSupabaseError } from '../errors.ts';

/** Thrown by `run` when the queue is full. */
export class QueueFullError extends Error {
  constructor(limit: number) {
    super(`more than ${limit} requests are waiting`);
    this.name = 'QueueFullError';
  }
}

export class TaskQueue {
  readonly #limit: number;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closed = false;

  constructor(limit = 1_000) {
    this.#limit = limit;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.#limit) throw new QueueFullError(this.#limit);
    return this.#append(() => {
      if (this.#closed) throw new LocalSupabaseError('STOPPED', 'the server has been stopped');
      return task();
    });
  }

  /** Lets the task under way end, refuses those that wait, then runs `last`. */
  async close(last: () => Promise<void>): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#append(last);
  }

  async #append<T>(task: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    const turn = this.#tail.then(task);
    this.#tail = turn.catch(() => undefined); // the caller of this turn gets its error
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }
}
