/**
 * The caller's end of the writer's thread: sends commands, hands out promises, settles them by the answers. A
 * disk that takes seconds over a flush keeps that thread waiting, and nobody else.
 *
 * The thread keeps the process alive only while something is waiting for it.
 */
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import { StoreError } from '../errors.ts';
import type { StoreCommand, ValueOf } from './commands.ts';
import { packStep, type StepMessage } from './step-message.ts';
import { giveBackThread, takeThread } from './thread-pool.ts';
import { fromWire } from './wire-error.ts';
import type { Writer } from './writer.ts';
import {
  openingId,
  type WriterAnswer,
  type WriterReply,
  type WriterRequest,
  type WriterSetup,
  type WriterStatus,
} from './writer-messages.ts';

export type WriterClientOptions = Omit<WriterSetup, 'port' | 'bell'> & {
  /** Commands that may wait; one more is refused (I7). */
  readonly maxWaiting: number;
};

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class WriterClient implements Writer {
  readonly opened: Promise<unknown>;
  readonly sharesConnection = false;
  readonly #path: string;
  readonly #maxWaiting: number;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #bell: Int32Array;
  readonly #waiting = new Map<number, Waiting>();
  #outgoing: (WriterRequest | StepMessage)[] = [];
  #nextId = openingId;
  #ended: Error | null = null;

  constructor(options: WriterClientOptions) {
    const { maxWaiting, ...setup } = options;
    this.#path = options.path;
    this.#maxWaiting = maxWaiting;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#bell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    this.#worker = takeThread();
    this.#worker.unref();
    this.#worker.once('error', (error) => this.#end(error));
    this.#worker.once('exit', () => this.#end(new Error('it ended')));
    this.#port.on('message', (reply: WriterReply) => this.#settle(reply));
    const message: WriterSetup = { ...setup, port: port2, bell: this.#bell };
    this.#worker.postMessage(message, [port2]);
    this.opened = this.#await(this.#takeId());
    this.opened.catch(() => {});
  }

  run<Command extends StoreCommand>(command: Command): Promise<ValueOf<Command>> {
    if (this.#waiting.size >= this.#maxWaiting) {
      const message = `${this.#maxWaiting} writes are waiting for ${this.#path}.`;
      return Promise.reject(new StoreError('STORE_BUSY', message));
    }
    const id = this.#takeId();
    const request = packStep(id, command) ?? ({ kind: 'command', id, command } as const);
    return this.#send(id, request) as Promise<ValueOf<Command>>;
  }

  async status(): Promise<WriterStatus> {
    return (await this.#ask('status')) as WriterStatus;
  }

  async truncate(): Promise<void> {
    await this.#ask('truncate');
  }

  async close(): Promise<void> {
    if (this.#ended !== null) return;
    await this.#ask('close').catch(() => {});
    if (this.#ended !== null) return;
    this.#retire(new StoreError('STORE_CLOSED', `The store ${this.#path} has been closed.`));
  }

  /** The thread has let go of this store. */
  #retire(reason: Error): void {
    this.#ended = reason;
    this.#port.close();
    for (const waiting of this.#waiting.values()) waiting.reject(reason);
    this.#waiting.clear();
    giveBackThread(this.#worker);
  }

  #takeId(): number {
    this.#nextId += 1;
    return this.#nextId - 1;
  }

  #ask(kind: 'status' | 'truncate' | 'close'): Promise<unknown> {
    const id = this.#takeId();
    return this.#send(id, { kind, id });
  }

  #send(id: number, request: WriterRequest | StepMessage): Promise<unknown> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    if (this.#outgoing.length === 0) queueMicrotask(() => this.#flush());
    this.#outgoing.push(request);
    return this.#await(id);
  }

  /** What was asked for in one go is sent as one message. */
  #flush(): void {
    const requests = this.#outgoing.splice(0);
    try {
      this.#port.postMessage(requests);
    } catch {
      for (const request of requests) this.#sendAlone(request);
    }
    Atomics.add(this.#bell, 0, 1);
    Atomics.notify(this.#bell, 0);
  }

  /** What cannot be sent fails, and nothing else with it. */
  #sendAlone(request: WriterRequest | StepMessage): void {
    try {
      this.#port.postMessage([request]);
    } catch (error) {
      const id = 'kind' in request ? request.id : Number(request[0]);
      const message = `A value cannot be stored: ${(error as Error).message}.`;
      this.#waiting.get(id)?.reject(new StoreError('NOT_SERIALIZABLE', message, { cause: error }));
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) this.#keepAlive(false);
    }
  }

  #await(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      if (this.#waiting.size === 1) this.#keepAlive(true);
    });
  }

  #settle(reply: WriterReply): void {
    for (const answer of reply) {
      const { id, value, error }: WriterAnswer = typeof answer === 'number' ? { id: answer } : answer;
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(fromWire(error));
      if (id === openingId && error !== undefined) this.#retire(fromWire(error));
    }
    if (this.#waiting.size === 0) this.#keepAlive(false);
  }

  #keepAlive(needed: boolean): void {
    if (needed) this.#port.ref();
    else this.#port.unref();
  }

  /** Whether what was waiting has been written is not known. */
  #end(reason: unknown): void {
    if (this.#ended !== null) return;
    const detail = reason instanceof Error ? reason.message : String(reason);
    this.#ended = new StoreError('STORE_IO', `The writer of ${this.#path} is gone: ${detail}. Open the store again.`, {
      cause: reason,
    });
    this.#port.close();
    for (const waiting of this.#waiting.values()) waiting.reject(this.#ended);
    this.#waiting.clear();
  }
}
