/**
 * By when a job process has to be gone, told through its lifeline: another robot may begin the job anew then, and a
 * supervisor that is stopped or hangs cannot kill anything (I2). One line each time it changes: ms on the machine's clock
 * since boot, which all processes share and which counts suspend, or `none`.
 */
import { uptime } from 'node:os';

/** Ms since the machine booted, the time of suspends included where the platform counts it. */
export function sinceBootMs(): number {
  return uptime() * 1_000;
}

/** @param deadline null: it may live on */
export function deadlineLine(deadline: number | null): string {
  return `${deadline === null ? 'none' : Math.floor(deadline)}\n`;
}

/** Reads what comes in pieces; the newest whole line counts. */
export class DeadlineReader {
  #rest = '';
  #deadline: number | null = null;

  take(piece: string): void {
    const lines = (this.#rest + piece).split('\n');
    this.#rest = lines.pop() ?? '';
    const newest = lines.at(-1);
    if (newest !== undefined) this.#deadline = newest === 'none' ? null : Number(newest);
  }

  /** Ms left; null when there is no deadline. */
  remainingMs(now: number): number | null {
    return this.#deadline === null ? null : Math.max(0, this.#deadline - now);
  }
}
