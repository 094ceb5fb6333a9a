/** How long the finally bodies of what was told to stop may still take: the run as a whole, or one lane of it. */
import type { Clock } from '../ports.ts';
import { longSleep } from './long-sleep.ts';
import type { Lane } from './run-state.ts';
import type { StopControl } from './stop-control.ts';

export interface StopGracesOptions {
  readonly clock: Clock;
  readonly control: StopControl;
  readonly graceMs: number;
}

export class StopGraces {
  readonly #options: StopGracesOptions;
  readonly #timers = new AbortController();
  readonly #begun = new Set<Lane>();
  readonly #over = new Set<Lane>();

  constructor(options: StopGracesOptions) {
    this.#options = options;
  }

  /** @param stopped the outermost lane that was told to stop; calling it again does not prolong the grace */
  begin(stopped: Lane): void {
    const { clock, control, graceMs } = this.#options;
    if (stopped.parent === null) {
      control.beginGrace();
    } else if (!this.#begun.has(stopped)) {
      this.#begun.add(stopped);
      const end = (): void => {
        this.#over.add(stopped);
        control.tellAll();
      };
      longSleep(clock, graceMs, this.#timers.signal).then(end, () => undefined);
    }
  }

  isOver(stopped: Lane): boolean {
    return this.#options.control.isGraceOver || this.#over.has(stopped);
  }

  dispose(): void {
    this.#timers.abort();
  }
}
