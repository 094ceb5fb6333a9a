/** Measures what each job uses, with all that it has started, and tells whose use passes the limit. Linux only. */
import type { Clock } from '../ports.ts';
import type { JobProcess } from './job-process.ts';
import { hasProcessTable, proportionalBytes, readProcessTable } from './process-table.ts';
import type { TreeMember } from './process-tree.ts';
import type { KillCause } from './run-watch.ts';

type MemoryCause = Extract<KillCause, { readonly kind: 'memory' }>;

/** How often it looks, in ms. Each look also notes new process groups. */
const INTERVAL_MS = 250;
/** On a machine with so many processes that a look takes long, it looks less often: at most this share of the time. */
const MAX_SHARE = 0.05;

export class MemoryWatch {
  readonly #limitBytes: number | null;
  readonly #clock: Clock;
  readonly #watched = new Map<JobProcess, (cause: MemoryCause) => void>();
  #loop: AbortController | null = null;

  /** @param limitBytes null: no limit */
  constructor(limitBytes: number | null, clock: Clock) {
    this.#limitBytes = limitBytes;
    this.#clock = clock;
  }

  /** @returns a function that ends the watch */
  watch(process: JobProcess, onLimit: (cause: MemoryCause) => void): () => void {
    this.#watched.set(process, onLimit);
    if (this.#loop === null) {
      this.#loop = new AbortController();
      void this.#run(this.#loop.signal);
    }
    return () => {
      this.#watched.delete(process);
      if (this.#watched.size === 0) this.stop();
    };
  }

  stop(): void {
    this.#loop?.abort();
    this.#loop = null;
  }

  async #run(signal: AbortSignal): Promise<void> {
    let waitMs = INTERVAL_MS;
    for (;;) {
      try {
        await this.#clock.sleep(waitMs, signal);
      } catch {
        return;
      }
      const before = this.#clock.monotonic();
      this.#look();
      waitMs = Math.max(INTERVAL_MS, (this.#clock.monotonic() - before) / MAX_SHARE);
    }
  }

  #look(): void {
    const table = hasProcessTable() ? readProcessTable() : null;
    for (const [process, onLimit] of [...this.#watched]) {
      const usedBytes = table === null ? process.rssBytes : usedBy(process.members(table), this.#limitBytes);
      if (this.#limitBytes === null || usedBytes <= this.#limitBytes) continue;
      onLimit({ kind: 'memory', usedBytes, limitBytes: this.#limitBytes });
    }
  }
}

/** Resident memory counts shared pages once per process: what seems too much is measured more exactly. */
function usedBy(members: readonly TreeMember[], limitBytes: number | null): number {
  const resident = members.reduce((sum, { rssBytes }) => sum + rssBytes, 0);
  if (limitBytes === null || resident <= limitBytes || members.length === 1) return resident;
  return members.reduce((sum, { pid, rssBytes }) => sum + (proportionalBytes(pid) ?? rssBytes), 0);
}
