/**
 * What a circuit breaker is meant to be, written as plainly as can be: the reference that the real one is held
 * against. It counts failures in a row, and acts on time step by step instead of when somebody asks.
 */
export interface ModelRules {
  readonly failureThreshold: number;
  readonly successThreshold: number;
  readonly timeoutMs: number;
  readonly timeoutMultiplier: number;
  readonly maxTimeoutMs: number;
  readonly recoveryMs: number;
  readonly halfOpenMaxProbes: number;
  readonly probeTimeoutMs: number;
}

export type ModelState = 'CLOSED' | 'OPEN' | 'HALF_OPEN' | 'FORCED_OPEN' | 'FORCED_CLOSED';

interface ModelCall {
  readonly era: number;
  readonly startedAt: number;
  abandoned: boolean;
}

export class BreakerModel {
  readonly rules: ModelRules;
  state: ModelState = 'CLOSED';
  now = 0;
  failuresInARow = 0;
  successes = 0;
  openings = 0;
  readonly totals = { successes: 0, failures: 0, ignored: 0, rejected: 0, opened: 0 };
  readonly calls = new Map<number, ModelCall>();
  #era = 0;
  #enteredAt = 0;
  #openMs = 0;

  constructor(rules: ModelRules) {
    this.rules = rules;
  }

  get probes(): number {
    if (this.state !== 'HALF_OPEN') return 0;
    return [...this.calls.values()].filter(
      ({ era, startedAt }) => era === this.#era && this.now - startedAt < this.rules.probeTimeoutMs,
    ).length;
  }

  /** Time passes a millisecond at a time; what is due happens when it is due. */
  pass(ms: number): void {
    for (let n = 0; n < ms; n += 1) {
      this.now += 1;
      this.#due();
    }
  }

  /** Whether the call is made. */
  call(id: number): boolean {
    this.#due();
    const refused =
      this.state === 'OPEN' ||
      this.state === 'FORCED_OPEN' ||
      (this.state === 'HALF_OPEN' && this.probes >= this.rules.halfOpenMaxProbes);
    if (refused) this.totals.rejected += 1;
    else this.calls.set(id, { era: this.#era, startedAt: this.now, abandoned: false });
    return !refused;
  }

  end(id: number, outcome: 'success' | 'failure' | 'ignored'): void {
    const call = this.calls.get(id);
    this.calls.delete(id);
    if (call === undefined) return;
    const counted = call.abandoned ? 'ignored' : outcome;
    this.totals[counted === 'success' ? 'successes' : counted === 'failure' ? 'failures' : 'ignored'] += 1;
    if (call.era !== this.#era || counted === 'ignored') return;
    if (this.state === 'CLOSED') {
      this.failuresInARow = counted === 'success' ? 0 : this.failuresInARow + 1;
      if (this.failuresInARow >= this.rules.failureThreshold) this.#open();
    } else if (this.state === 'HALF_OPEN') {
      if (counted === 'failure') this.#open();
      else {
        this.successes += 1;
        if (this.successes >= this.rules.successThreshold) this.#enter('CLOSED');
      }
    }
  }

  /** The caller has gone; the call has not ended. */
  abandon(id: number): void {
    const call = this.calls.get(id);
    if (call !== undefined) call.abandoned = true;
  }

  order(what: 'reset' | 'forceOpen' | 'forceClosed' | 'allowTrial'): void {
    if (what === 'reset') {
      this.#enter('CLOSED');
      this.openings = 0;
    } else if (what === 'allowTrial') {
      if (this.state === 'OPEN') this.#enter('HALF_OPEN');
    } else {
      const to = what === 'forceOpen' ? 'FORCED_OPEN' : 'FORCED_CLOSED';
      if (this.state !== to) this.#enter(to);
    }
  }

  #due(): void {
    const inState = this.now - this.#enteredAt;
    if (this.state === 'CLOSED' && inState >= this.rules.recoveryMs) this.openings = 0;
    if (this.state === 'HALF_OPEN') {
      const hangs = [...this.calls.values()].some(
        ({ era, startedAt, abandoned }) =>
          era === this.#era && !abandoned && this.now - startedAt >= this.rules.probeTimeoutMs,
      );
      if (hangs) this.#open();
    }
    if (this.state === 'OPEN' && this.now - this.#enteredAt >= this.#openMs) this.#enter('HALF_OPEN');
  }

  #open(): void {
    this.#openMs = this.rules.timeoutMs;
    for (let n = 0; n < this.openings; n += 1) this.#openMs *= this.rules.timeoutMultiplier;
    this.#openMs = Math.min(this.#openMs, this.rules.maxTimeoutMs);
    this.openings += 1;
    this.totals.opened += 1;
    this.#enter('OPEN');
    this.#due();
  }

  #enter(state: ModelState): void {
    this.state = state;
    this.#era += 1;
    this.#enteredAt = this.now;
    this.failuresInARow = 0;
    this.successes = 0;
  }
}
