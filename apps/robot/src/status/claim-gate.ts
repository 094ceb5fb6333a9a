/**
 * Whether the robot may take new jobs. Told of every sample, it closes when disk or memory run short and opens when
 * there is room again; other parts hold it closed while they cannot do their share. Each change is shown and told to the
 * server; for what the log says see `gate-news.ts`.
 */
import type { Clock, Logger } from '@casare/execution';
import { describeShortage, type ResourceSample, type ResourceShortage, shortagesOf } from '@casare/observability';
import { GateNews } from './gate-news.ts';

export interface ClaimGateOptions {
  readonly minFreeDiskMb: number | null;
  readonly maxMemoryPercent: number | null;
  readonly logger: Logger;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Called after it has closed or opened. */
  readonly onChange: () => void;
}

export class ClaimGate {
  readonly #options: ClaimGateOptions;
  readonly #news: GateNews;
  #shortages: readonly ResourceShortage[] = [];
  /** By who holds it closed: why. */
  readonly #holds = new Map<string, string>();

  constructor(options: ClaimGateOptions) {
    this.#options = options;
    this.#news = new GateNews(options.logger, options.clock);
  }

  /** Why no jobs are taken, in words; empty while they are. */
  get refusals(): readonly string[] {
    return [...this.#reasons.values()];
  }

  get isClosed(): boolean {
    return this.#shortages.length > 0 || this.#holds.size > 0;
  }

  /** Keeps the gate closed for `holder`, with a reason in words, until it is called with null. */
  hold(holder: string, reason: string | null): void {
    const before = this.#holds.get(holder) ?? null;
    if (reason === null) this.#holds.delete(holder);
    else this.#holds.set(holder, reason);
    this.#look(before !== reason);
  }

  /** From now on the robot takes no new jobs; what is in the way goes on being shown. */
  stopping(): void {
    this.#news.stopping();
  }

  sampled(sample: ResourceSample): void {
    const before = new Set(this.#shortages.map(({ resource }) => resource));
    this.#shortages = shortagesOf(sample, this.#options, this.#shortages);
    const now = new Set(this.#shortages.map(({ resource }) => resource));
    this.#look(before.symmetricDifference(now).size > 0);
  }

  /** By what they come from, and what they say but for its numbers: another trouble of the same part is another reason. */
  get #reasons(): ReadonlyMap<string, string> {
    const shortages = this.#shortages.map((shortage) => [shortage.resource, describeShortage(shortage)] as const);
    const holds = [...this.#holds].map(
      ([holder, reason]) => [`${holder} ${reason.replaceAll(/\d+/g, '')}`, reason] as const,
    );
    return new Map<string, string>([...shortages, ...holds]);
  }

  #look(hasChanged: boolean): void {
    this.#news.take(this.#reasons);
    if (hasChanged) this.#options.onChange();
  }
}
