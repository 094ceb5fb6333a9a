/**
 * The questions of a run that wait for an answer, as its journal has them: branches that run side by side can each have
 * one, and the run as a whole can have one, before which the others do not count.
 */
import { askedBy, type DoubtQuestion, type JournalEntry, questionsIn } from '@casare/execution';

export class OpenDoubts {
  /** By lane; the run as a whole is null. */
  readonly #byLane = new Map<string | null, DoubtQuestion>();

  get all(): readonly DoubtQuestion[] {
    const whole = this.#byLane.get(null);
    return whole === undefined ? [...this.#byLane.values()] : [whole];
  }

  /** What the entries ask and answer, in their order. Returns whether that changed which questions are open. */
  follow(entries: readonly JournalEntry[]): boolean {
    const before = this.#keys();
    for (const entry of entries) this.#apply(entry);
    return this.#keys() !== before;
  }

  #apply(entry: JournalEntry): void {
    switch (entry.kind) {
      case 'in_doubt':
        this.#byLane.set(entry.node_id === null ? null : (entry.lane ?? ''), askedBy(entry));
        break;
      case 'answered':
        this.#byLane.delete(entry.node_id === null ? null : (entry.lane ?? ''));
        break;
      case 'intent':
        // The run has gone on, whatever was asked about it.
        this.#byLane.delete(null);
        this.#byLane.delete(entry.lane ?? '');
        break;
      case 'result':
      case 'failure':
      case 'retry':
      case 'interrupted':
        this.#byLane.delete(entry.lane ?? '');
        break;
      case 'lane_dropped':
        for (const lane of [...this.#byLane.keys()]) {
          if (lane?.startsWith(entry.lane ?? '') === true) this.#byLane.delete(lane);
        }
        break;
      case 'snapshot':
        this.#byLane.clear();
        for (const [lane, question] of questionsIn(entry)) this.#byLane.set(lane, question);
        break;
      case 'stop':
      case 'outcome':
        this.#byLane.clear();
        break;
    }
  }

  #keys(): string {
    return JSON.stringify(this.all.map(({ node_id, step, attempt, reason }) => [node_id, step, attempt, reason]));
  }
}
