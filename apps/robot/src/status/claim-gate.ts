/**
 * Whether the robot may take new jobs. Told of every sample, it closes when disk or memory run short and opens when
 * there is room again; other parts hold it closed while they cannot do their share. Each change is logged, shown and
 * told to the server.
 */
import type { Logger } from '@casare/execution';
import { describeShortage, type ResourceSample, type ResourceShortage, shortagesOf } from '@casare/observability';

export interface ClaimGateOptions {
  readonly minFreeDiskMb: number | null;
  readonly maxMemoryPercent: number | null;
  readonly logger: Logger;
  /** Called after it has closed or opened. */
  readonly onChange: () => void;
}

export class ClaimGate {
  readonly #options: ClaimGateOptions;
  #shortages: readonly ResourceShortage[] = [];
  /** By who holds it closed: why. */
  readonly #holds = new Map<string, string>();

  constructor(options: ClaimGateOptions) {
    this.#options = options;
  }

  /** Why no jobs are taken, in words; empty while they are. */
  get refusals(): readonly string[] {
    return [...this.#shortages.map(describeShortage), ...this.#holds.values()];
  }

  get isClosed(): boolean {
    return this.#shortages.length > 0 || this.#holds.size > 0;
  }

  /** Keeps the gate closed for `holder`, with a reason in words, until it is called with null. */
  hold(holder: string, reason: string | null): void {
    if ((this.#holds.get(holder) ?? null) === reason) return;
    if (reason === null) this.#holds.delete(holder);
    else this.#holds.set(holder, reason);
    this.#changed();
  }

  sampled(sample: ResourceSample): void {
    const before = new Set(this.#shortages.map(({ resource }) => resource));
    this.#shortages = shortagesOf(sample, this.#options, this.#shortages);
    const now = new Set(this.#shortages.map(({ resource }) => resource));
    if (before.symmetricDifference(now).size === 0) return;
    this.#changed();
  }

  #changed(): void {
    const { logger, onChange } = this.#options;
    if (this.isClosed) logger.log('warning', `no new jobs are taken, running ones go on: ${this.refusals.join('; ')}`);
    else logger.log('info', 'nothing is in the way any more; new jobs are taken');
    onChange();
  }
}
