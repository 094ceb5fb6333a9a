/**
 * What the log says of the gate: each closing and opening, unless it comes and goes (a disk that is slow all the time
 * answers now in time and now too late). Then it is told once that it does, every ten minutes how often it has, and when
 * it has stayed open for a minute. It owns no timer: it is told every few seconds how things are.
 *
 * open -> closed -> watched (open, but not for long) -> open, or -> restless -> open. A reason that was not told yet is
 * told at once, whatever the state.
 */
import type { Clock, Logger } from '@casare/execution';

/** A gate that has stayed open for so long is over its trouble. */
const settledAfterMs = 60_000;
const tellEveryMs = 600_000;

type State =
  | { readonly kind: 'open' }
  | { readonly kind: 'closed'; readonly told: ReadonlySet<string> }
  | { readonly kind: 'watched'; readonly told: ReadonlySet<string>; readonly openSince: number }
  | {
      readonly kind: 'restless';
      readonly told: ReadonlySet<string>;
      readonly since: number;
      readonly toldAt: number;
      readonly closings: number;
      /** Null while it is closed. */
      readonly openSince: number | null;
    };

export class GateNews {
  readonly #logger: Logger;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #state: State = { kind: 'open' };
  #isStopping = false;

  constructor(logger: Logger, clock: Pick<Clock, 'monotonic'>) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** The robot takes no new jobs from now on, whatever is or is not in the way: an opening is no news any more. */
  stopping(): void {
    this.#isStopping = true;
  }

  /** How things are now. @param reasons by who holds it closed; none: it is open */
  take(reasons: ReadonlyMap<string, string>): void {
    const now = this.#clock.monotonic();
    this.#state = reasons.size === 0 ? this.#opened(now) : this.#closed(reasons, now);
  }

  #opened(now: number): State {
    const state = this.#state;
    switch (state.kind) {
      case 'open':
        return state;
      case 'closed':
        this.#tellOpen('nothing is in the way any more; new jobs are taken');
        return { kind: 'watched', told: state.told, openSince: now };
      case 'watched':
        return now - state.openSince < settledAfterMs ? state : { kind: 'open' };
      case 'restless': {
        if (state.openSince === null) return { ...state, openSince: now };
        if (now - state.openSince < settledAfterMs) return state;
        const times = `it had come and gone ${state.closings} times`;
        this.#tellOpen(`nothing has been in the way for a minute; new jobs are taken (${times})`);
        return { kind: 'open' };
      }
    }
  }

  #closed(reasons: ReadonlyMap<string, string>, now: number): State {
    const state = this.#state;
    const told = new Set([...(state.kind === 'open' ? [] : state.told), ...reasons.keys()]);
    const isNew = state.kind === 'open' || told.size > state.told.size;
    if (isNew) this.#warn(reasons);
    switch (state.kind) {
      case 'open':
      case 'closed':
        return { kind: 'closed', told };
      case 'watched':
        if (now - state.openSince >= settledAfterMs) {
          if (!isNew) this.#warn(reasons);
          return { kind: 'closed', told: new Set(reasons.keys()) };
        }
        if (!isNew) this.#warn(reasons, 'it comes and goes, which is told again in ten minutes');
        return { kind: 'restless', told, since: now, toldAt: now, closings: 2, openSince: null };
      case 'restless': {
        const closings = state.closings + (state.openSince === null ? 0 : 1);
        const isDue = now - state.toldAt >= tellEveryMs;
        const minutes = Math.round((now - state.since) / 60_000);
        if (isDue && !isNew) this.#warn(reasons, `it has come and gone ${closings} times in ${minutes} minutes`);
        return { ...state, told, closings, openSince: null, toldAt: isDue || isNew ? now : state.toldAt };
      }
    }
  }

  #warn(reasons: ReadonlyMap<string, string>, remark = ''): void {
    const why = `${[...reasons.values()].join('; ')}${remark === '' ? '' : ` (${remark})`}`;
    const what = this.#isStopping ? 'the robot stops, with a problem' : 'no new jobs are taken, running ones go on';
    this.#logger.log('warning', `${what}: ${why}`);
  }

  #tellOpen(message: string): void {
    if (!this.#isStopping) this.#logger.log('info', message);
  }
}
