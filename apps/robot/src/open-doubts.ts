/** The nodes of a run that wait for an answer: branches that run side by side can each have one. */
import type { JournalEntry } from '@casare/execution';

export interface OpenDoubt {
  readonly node_id: string;
  readonly reason: string;
}

export class OpenDoubts {
  readonly #byLane = new Map<string, OpenDoubt>();

  get all(): readonly OpenDoubt[] {
    return [...this.#byLane.values()];
  }

  /** What the entries ask and answer, in their order. */
  follow(entries: readonly JournalEntry[]): void {
    for (const entry of entries) {
      switch (entry.kind) {
        case 'in_doubt':
          this.#byLane.set(entry.lane ?? '', { node_id: entry.node_id, reason: entry.reason });
          break;
        case 'intent':
        case 'result':
        case 'failure':
        case 'retry':
        case 'interrupted':
        case 'lane_dropped':
          this.#byLane.delete(entry.lane ?? '');
          break;
        case 'stop':
        case 'outcome':
          this.#byLane.clear();
          break;
      }
    }
  }
}
