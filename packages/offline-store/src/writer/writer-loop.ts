/**
 * The writer's loop: sleeps until something was asked for, commits all that is waiting at once, answers it.
 *
 * After a commit, whoever was answered may ask again within microseconds; when several callers are active the
 * loop waits a fraction of the last commit's duration for them, so that they share a transaction instead of
 * taking turns. A caller that is alone never waits.
 *
 * When nothing was asked for a while it moves the write-ahead log into the file and truncates it.
 */
import { availableParallelism } from 'node:os';
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { translateStorageError } from '../database/storage-errors.ts';
import type { StoreCommand } from './commands.ts';
import type { CommitEngine } from './commit-engine.ts';
import { unpackStep } from './step-message.ts';
import { toWire } from './wire-error.ts';
import type { WriterAnswer, WriterMessage, WriterReply, WriterRequest } from './writer-messages.ts';

export interface WriterLoopParts {
  readonly path: string;
  readonly port: MessagePort;
  readonly bell: Int32Array;
  readonly engine: CommitEngine;
  readonly idleCheckpointMs: number;
  /** Ms since an arbitrary origin. */
  readonly monotonic: () => number;
}

type CommandRequest = Extract<WriterRequest, { readonly kind: 'command' }>;

/** Largest number of commands in one transaction. */
const maxGroup = 500;
/** Part of the last commit's duration that the loop waits for the callers it has just answered. */
const gatherShare = 0.25;
const maxGatherMs = 2;
const minGatherMs = 0.05;
/**
 * A caller that goes on at once asks again within this time. The loop then looks out for it awake, since falling
 * asleep and being woken costs about as much; it does so only while requests do come that quickly.
 */
const spinMs = availableParallelism() > 1 ? 0.15 : 0;

/** Returns when asked to close. */
export function runWriterLoop(parts: WriterLoopParts): void {
  const { path, port, engine, idleCheckpointMs, monotonic } = parts;
  const waiting = new Inbox(port, parts.bell, monotonic);
  let dirty = false;
  let lastGroup = 0;
  let lastCommitMs = 0;
  for (;;) {
    if (!waiting.fill(dirty ? idleCheckpointMs : Number.POSITIVE_INFINITY)) {
      attempt(() => engine.truncate());
      dirty = false;
      continue;
    }
    const [first] = waiting.requests;
    if (first?.kind === 'command') {
      const patienceMs = Math.min(maxGatherMs, Math.max(minGatherMs, lastCommitMs * gatherShare));
      if (lastGroup > 1) waiting.gather(lastGroup, patienceMs);
      const group = waiting.takeCommands(maxGroup);
      const startedAt = monotonic();
      const answers = commit(group);
      lastCommitMs = monotonic() - startedAt;
      lastGroup = group.length + waiting.lookAhead();
      port.postMessage(answers);
      dirty = true;
      continue;
    }
    const request = waiting.take();
    if (request === undefined) continue;
    if (request.kind === 'close') {
      port.postMessage([answer(request.id, () => engine.close())]);
      return;
    }
    port.postMessage([answer(request.id, () => (request.kind === 'status' ? engine.status() : engine.truncate()))]);
  }

  function commit(group: readonly CommandRequest[]): WriterReply {
    const commands: StoreCommand[] = group.map(({ command }) => command);
    return engine.commits.run(commands).map((outcome, index) => {
      const id = group[index]?.id ?? -1;
      if (!outcome.ok) return { id, error: toWire(translateStorageError(outcome.error, path)) };
      return outcome.value === undefined ? id : { id, value: outcome.value };
    });
  }

  function answer(id: number, action: () => unknown): WriterAnswer {
    try {
      return { id, value: action() };
    } catch (error) {
      return { id, error: toWire(translateStorageError(error, path)) };
    }
  }
}

/** A checkpoint that cannot be made now is made later: by SQLite itself, or when the loop is idle again. */
function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // The write-ahead log stays as it is; nothing depends on its size.
  }
}

/** Requests in the order they were sent. */
class Inbox {
  readonly requests: WriterRequest[] = [];
  readonly #port: MessagePort;
  readonly #bell: Int32Array;
  readonly #monotonic: () => number;
  #lastWaitMs = Number.POSITIVE_INFINITY;

  constructor(port: MessagePort, bell: Int32Array, monotonic: () => number) {
    this.#port = port;
    this.#bell = bell;
    this.#monotonic = monotonic;
  }

  /** Waits until there is a request; false when none came within `timeoutMs`. */
  fill(timeoutMs: number): boolean {
    for (;;) {
      const rung = Atomics.load(this.#bell, 0);
      this.#receive();
      if (this.requests.length > 0) return true;
      const startedAt = this.#monotonic();
      const isAwake = this.#lastWaitMs <= spinMs && this.#spin(rung, startedAt + spinMs);
      if (!isAwake && Atomics.wait(this.#bell, 0, rung, timeoutMs) === 'timed-out') {
        this.#receive();
        return this.requests.length > 0;
      }
      this.#lastWaitMs = this.#monotonic() - startedAt;
    }
  }

  /** Looks again and again for a short while; true when something came. */
  #spin(rung: number, until: number): boolean {
    while (this.#monotonic() < until) {
      for (let look = 0; look < 100; look += 1) if (Atomics.load(this.#bell, 0) !== rung) return true;
    }
    return false;
  }

  /** Waits up to `limitMs` until `count` requests are there. */
  gather(count: number, limitMs: number): void {
    const until = this.#monotonic() + limitMs;
    for (;;) {
      const rung = Atomics.load(this.#bell, 0);
      this.#receive();
      const leftMs = until - this.#monotonic();
      if (this.requests.length >= count || leftMs <= 0) return;
      Atomics.wait(this.#bell, 0, rung, leftMs);
    }
  }

  /** The commands in front, up to the first other request. */
  takeCommands(limit: number): CommandRequest[] {
    const end = this.requests.findIndex((request) => request.kind !== 'command');
    return this.requests.splice(0, Math.min(limit, end < 0 ? this.requests.length : end)) as CommandRequest[];
  }

  take(): WriterRequest | undefined {
    return this.requests.shift();
  }

  /** The number of requests that are waiting now. */
  lookAhead(): number {
    this.#receive();
    return this.requests.length;
  }

  #receive(): void {
    for (let found = receiveMessageOnPort(this.#port); found !== undefined; found = receiveMessageOnPort(this.#port)) {
      for (const request of found.message as WriterMessage) {
        this.requests.push('kind' in request ? request : { kind: 'command', ...unpackStep(request) });
      }
    }
  }
}
