/**
 * Sends what a run reports, in order. What nodes log is bounded, so that a node that logs without end costs its own
 * job some lines and nobody else anything; what was dropped is counted.
 */
import type { RunObserver } from '../../engine/run-options.ts';
import type { Logger } from '../../ports.ts';
import type { Notice, ProcessMessage } from '../messages.ts';

/** Lines that a job may log in one go, and how many it gets back each second. */
const BURST_LINES = 2_000;
const LINES_PER_SECOND = 500;
/** More than this waiting for the supervisor means that it cannot keep up. */
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;
const MAX_MESSAGE_CHARS = 20_000;

export interface Outlet {
  send(message: ProcessMessage): void;
  readonly queuedBytes: number;
  /** Monotonic, in ms. */
  now(): number;
}

export class RemoteObserver {
  readonly port: RunObserver;
  readonly #outlet: Outlet;
  /** Null while notices are sent at once. */
  #held: Notice[] | null = null;
  #lines = BURST_LINES;
  #filledAt: number;
  #dropped = 0;

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
    this.#filledAt = outlet.now();
    const pass = (notice: Notice): void => this.#pass(notice);
    this.port = {
      runStarted: (notice) => pass({ type: 'notice', name: 'runStarted', notice }),
      nodeStarted: (notice) => pass({ type: 'notice', name: 'nodeStarted', notice }),
      nodeFinished: (notice) => pass({ type: 'notice', name: 'nodeFinished', notice }),
      nodeFailed: (notice) => pass({ type: 'notice', name: 'nodeFailed', notice }),
      log: (line) => {
        if (!this.#mayLog()) return;
        const message = line.message.slice(0, MAX_MESSAGE_CHARS);
        pass({ type: 'notice', name: 'log', notice: { ...line, message } });
      },
      runEnded: (notice) => pass({ type: 'notice', name: 'runEnded', notice }),
    };
  }

  /** From now on notices are kept for the end of the run. */
  hold(): void {
    this.#held ??= [];
  }

  /** What was kept, and how many lines were dropped, as one more line. */
  finish(): readonly Notice[] {
    const held = this.#held ?? [];
    if (this.#dropped === 0) return held;
    const message = `${this.#dropped} further lines were dropped: the job logs faster than ${LINES_PER_SECOND} lines a second.`;
    return [...held, { type: 'notice', name: 'log', notice: { level: 'warning', node_id: null, message } }];
  }

  #pass(notice: Notice): void {
    if (this.#held === null) this.#outlet.send(notice);
    else this.#held.push(notice);
  }

  #mayLog(): boolean {
    const now = this.#outlet.now();
    this.#lines = Math.min(BURST_LINES, this.#lines + ((now - this.#filledAt) / 1_000) * LINES_PER_SECOND);
    this.#filledAt = now;
    if (this.#lines < 1 || this.#outlet.queuedBytes > MAX_QUEUED_BYTES) {
      this.#dropped += 1;
      return false;
    }
    this.#lines -= 1;
    return true;
  }
}

/** The engine's own remarks. */
export function remarkLogger(outlet: Outlet): Logger {
  return {
    log: (level, message, fields) => outlet.send({ type: 'remark', level, message, fields: fields ?? null }),
  };
}
