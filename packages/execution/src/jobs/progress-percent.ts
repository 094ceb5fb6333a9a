/**
 * How far a run is, in percent. Every node of the workflow weighs the same. A node outside of loops counts once it
 * has run. A node in a loop counts by how far the loops around it are: after the second of ten turns, a fifth of it.
 * Where nobody knows how many turns there will be, each counts for less than the one before (1/2, 2/3, 3/4, ...).
 * When a loop is over, so is its whole body, branches that were never taken included.
 *
 * The figure never goes back, and reaches 100 only by the job's end.
 */
import type { ProgressShape } from './progress-shape.ts';

interface Turn {
  /** From 0. */
  index: number;
  /** null: nobody knows. */
  total: number | null;
}

export class ProgressPercent {
  #shape: ProgressShape;
  readonly #done = new Map<string, number>();
  readonly #turns = new Map<string, Turn>();
  readonly #runs = new Map<string, number>();
  #sum = 0;
  #highest = 0;

  constructor(shape: ProgressShape) {
    this.#shape = shape;
  }

  set shape(shape: ProgressShape) {
    this.#shape = shape;
  }

  /** Forgets all nodes and turns, but not how high the figure has been. */
  restart(): void {
    this.#done.clear();
    this.#turns.clear();
    this.#runs.clear();
    this.#sum = 0;
  }

  /** 0 to 99, a whole number. */
  get percent(): number {
    const { totalNodes } = this.#shape;
    const now = totalNodes === 0 ? 0 : Math.min(99, Math.floor((100 * this.#sum) / totalNodes + 1e-9));
    this.#highest = Math.max(this.#highest, now);
    return this.#highest;
  }

  nodeDone(nodeId: string): void {
    this.#runs.set(nodeId, (this.#runs.get(nodeId) ?? 0) + 1);
    if (this.#turns.has(nodeId)) return;
    this.#raise(nodeId, this.#end(nodeId));
  }

  /** A loop begins its first turn, or its next one. */
  turn(loopId: string, change: { readonly index: number; readonly total: number | null } | 'next'): void {
    const former = this.#turns.get(loopId);
    const turn = change === 'next' ? { index: (former?.index ?? -1) + 1, total: former?.total ?? null } : { ...change };
    this.#turns.set(loopId, turn);
    const { start, width } = this.#place(loopId);
    this.#raise(loopId, start + width * startOfTurn(turn));
  }

  loopOver(loopId: string): void {
    const end = this.#end(loopId);
    this.#turns.delete(loopId);
    this.#raise(loopId, end);
    for (const nodeId of this.#shape.bodyOf(loopId)) {
      this.#turns.delete(nodeId);
      this.#raise(nodeId, end);
    }
  }

  /** How much of the node is done when it ends now: all of it, unless loops around it go on. */
  #end(nodeId: string): number {
    const { start, width } = this.#place(nodeId);
    return start + width;
  }

  /** The part of a node's whole that its present turn stands for. */
  #place(nodeId: string): { readonly start: number; readonly width: number } {
    let start = 0;
    let width = 1;
    for (const loop of this.#shape.loopsAround(nodeId)) {
      const turn = this.#turns.get(loop) ?? { index: Math.max(0, (this.#runs.get(nodeId) ?? 1) - 1), total: null };
      const from = startOfTurn(turn);
      start += width * from;
      width *= startOfTurn({ ...turn, index: turn.index + 1 }) - from;
    }
    return { start, width };
  }

  #raise(nodeId: string, to: number): void {
    const former = this.#done.get(nodeId) ?? 0;
    if (to <= former) return;
    this.#done.set(nodeId, to);
    this.#sum += to - former;
  }
}

function startOfTurn({ index, total }: Turn): number {
  if (total === null) return index / (index + 1);
  return total === 0 ? 1 : Math.min(1, index / total);
}
