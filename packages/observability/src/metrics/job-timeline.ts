/** How many jobs ended in each span of time, by outcome: what a chart of a day is drawn from. Bounded (I7). */
import { isCount } from './count.ts';

export type JobOutcome = 'completed' | 'failed' | 'cancelled';

export interface TimelineSpan {
  /** Wall-clock ms at which the span begins; spans without jobs are left out. */
  readonly atMs: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
}

export const timelineSpanMs = 300_000;
/** A day. */
const maxSpans = 288;

export class JobTimeline {
  #spans: { -readonly [K in keyof TimelineSpan]: TimelineSpan[K] }[] = [];

  record(outcome: JobOutcome, nowMs: number): void {
    const atMs = nowMs - (nowMs % timelineSpanMs);
    let span = this.#spans.at(-1);
    // A clock that was set back adds to the newest span: time never runs backwards in a chart.
    if (span === undefined || span.atMs < atMs) {
      span = { atMs, completed: 0, failed: 0, cancelled: 0 };
      this.#spans.push(span);
      if (this.#spans.length > maxSpans) this.#spans.shift();
    }
    span[outcome] += 1;
  }

  /** The spans of the last day, oldest first. */
  since(nowMs: number): readonly TimelineSpan[] {
    const oldest = nowMs - maxSpans * timelineSpanMs;
    return this.#spans.filter(({ atMs }) => atMs > oldest).map((span) => ({ ...span }));
  }

  /** Goes on from earlier spans; what is none is left out. */
  restore(value: unknown): void {
    if (!Array.isArray(value)) return;
    this.#spans = value
      .filter(
        (span: Partial<TimelineSpan> | null) =>
          isCount(span?.atMs) && isCount(span.completed) && isCount(span.failed) && isCount(span.cancelled),
      )
      .slice(-maxSpans)
      .map(({ atMs, completed, failed, cancelled }: TimelineSpan) => ({ atMs, completed, failed, cancelled }));
  }
}
