/**
 * The owner's end of the embedded server's thread.
 *
 * starting -> running -> stopping -> ended; `ready` settles when the first stage is over, `ended` with the last.
 */
import { Worker } from 'node:worker_threads';
import { endsWithin } from '../ends-within.ts';
import { LocalSupabaseError, SqlError } from '../errors.ts';
import type { Clock, Log } from '../ports.ts';
import type { FromWorker, ReadyMessage, ToWorker, WorkerInput } from './worker-protocol.ts';

interface PendingSql {
  readonly resolve: (rows: readonly Record<string, unknown>[]) => void;
  readonly reject: (error: Error) => void;
}

const stopTimeoutMs = 10_000;

export class WorkerLink {
  /** Rejects with a `LocalSupabaseError` when the server does not start. */
  readonly ready: Promise<ReadyMessage>;
  /** Resolves when the thread has ended. */
  readonly ended: Promise<void>;
  readonly #worker: Worker;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #pending = new Map<number, PendingSql>();
  readonly #setReady: (message: ReadyMessage) => void;
  readonly #setFailed: (error: Error) => void;
  #stopping = false;
  #lastId = 0;

  constructor(input: WorkerInput, log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    const ready = Promise.withResolvers<ReadyMessage>();
    this.ready = ready.promise;
    this.#setReady = ready.resolve;
    this.#setFailed = ready.reject;

    this.#worker = new Worker(workerUrl(), {
      workerData: input,
      env: { DO_NOT_TRACK: '1', LITE_TELEMETRY: '0' },
      stdout: true,
      stderr: true,
    });
    this.#worker.stdout.resume();
    this.#worker.stderr.resume();
    this.#worker.on('message', (message: FromWorker) => this.#hear(message));
    this.#worker.on('error', (error) => {
      log('error', `the embedded server failed: ${error.message}`);
      this.#setFailed(new LocalSupabaseError('SERVER_FAILED', error.message, { cause: error }));
    });
    this.ended = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#afterEnd();
        resolve();
      });
    });
  }

  async sql(text: string, params: readonly unknown[]): Promise<readonly Record<string, unknown>[]> {
    if (this.#stopping) throw new LocalSupabaseError('STOPPED', 'the server has been stopped');
    this.#lastId += 1;
    const { promise, resolve, reject } = Promise.withResolvers<readonly Record<string, unknown>[]>();
    this.#pending.set(this.#lastId, { resolve, reject });
    this.#send({ kind: 'sql', id: this.#lastId, text, params });
    return promise;
  }

  /** Resolves when the thread has ended; one that does not within 10 s is terminated. */
  async stop(): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true;
      this.#send({ kind: 'stop' });
    }
    if (await endsWithin(this.ended, stopTimeoutMs, this.#clock)) return;
    this.#log('error', 'the embedded server did not stop in time and was ended');
    await this.#worker.terminate();
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case 'log':
        this.#log(message.level, message.message);
        break;
      case 'ready':
        this.#setReady(message);
        break;
      case 'failed':
        this.#setFailed(new LocalSupabaseError(message.code, message.message));
        // It has closed what it could; what half a start has left open must not keep the process alive.
        void this.#worker.terminate();
        break;
      case 'rows':
        this.#take(message.id)?.resolve(message.rows);
        break;
      case 'refused':
        this.#take(message.id)?.reject(new SqlError(message.message, message.code, message.hint));
        break;
    }
  }

  #afterEnd(): void {
    if (!this.#stopping) {
      this.#setFailed(new LocalSupabaseError('SERVER_FAILED', 'the embedded server ended on its own'));
    }
    this.#stopping = true;
    const stopped = new LocalSupabaseError('STOPPED', 'the server has been stopped');
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(stopped);
  }

  #take(id: number): PendingSql | undefined {
    const entry = this.#pending.get(id);
    this.#pending.delete(id);
    return entry;
  }
}

/** `worker.ts` when this runs from source, `worker.js` when it was built. */
function workerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
}
