/** Breakers by name, made on demand with shared settings: one per host, queue or whatever else fails on its own. */
import { ArgumentError, requireObject, requireOptions, requireText } from '../argument-error.ts';
import { verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';
import { requireAtLeast } from '../require-at-least.ts';
import type { CircuitBreakerConfig } from './breaker-config.ts';
import type { CircuitBreakerRecord } from './breaker-record.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { CircuitBreakerStatus } from './circuit-events.ts';

export interface CircuitBreakerRegistryOptions {
  /** Settings of every breaker that the registry makes. Default: those of `CircuitBreaker`. */
  readonly defaults?: Partial<CircuitBreakerConfig>;
  /** Breakers that are kept at most. Default 1,000. */
  readonly maxBreakers?: number;
}

/**
 * Keeps at most `maxBreakers` breakers. For one more, the longest unused one that has nothing to remember is
 * forgotten: closed, not forced, no failure counted, recovered.
 *
 * @throws ArgumentError when `maxBreakers` is not a whole number of at least 1
 *
 * @example
 * const breakers = new CircuitBreakerRegistry({ defaults: { failureThreshold: 3 } });
 * await breakers.get('api.example.com').call(() => fetch('https://api.example.com/orders'));
 * console.log(breakers.statuses().filter(({ state }) => state !== 'CLOSED'));
 */
export class CircuitBreakerRegistry {
  readonly #defaults: Partial<CircuitBreakerConfig>;
  readonly #maxBreakers: number;
  /** In the order of their last use. */
  readonly #breakers = new Map<string, CircuitBreaker>();
  #forgotten = 0;

  constructor(options: CircuitBreakerRegistryOptions = {}) {
    requireOptions('options', options, new Set(['defaults', 'maxBreakers']));
    requireObject('defaults', options.defaults ?? {});
    this.#defaults = options.defaults ?? {};
    this.#maxBreakers = options.maxBreakers ?? 1_000;
    requireAtLeast(1, { maxBreakers: this.#maxBreakers }, { whole: true });
  }

  get size(): number {
    return this.#breakers.size;
  }

  /** Breakers that were forgotten to make room. */
  get forgotten(): number {
    return this.#forgotten;
  }

  has(name: string): boolean {
    return this.#breakers.has(name);
  }

  /**
   * The breaker of this name; made if there is none.
   *
   * @param config settings besides the defaults; they matter only to a breaker that is made now
   * @throws ConnectionError `TOO_MANY_BREAKERS` when there is no room and every breaker has something to remember
   * @throws ArgumentError when a setting is out of range
   */
  get(name: string, config: Partial<CircuitBreakerConfig> = {}): CircuitBreaker {
    requireText('name', name);
    const known = this.#breakers.get(name);
    if (known !== undefined) {
      this.#breakers.delete(name);
      this.#breakers.set(name, known);
      return known;
    }
    requireObject('config', config);
    const made = new CircuitBreaker(name, { ...this.#defaults, ...config });
    this.#keep(made);
    return made;
  }

  /** Forgets a breaker, whatever its state; `get` makes a new one. */
  delete(name: string): boolean {
    return this.#breakers.delete(name);
  }

  /** Of all breakers, the longest unused one first. */
  statuses(): readonly CircuitBreakerStatus[] {
    return [...this.#breakers.values()].map((breaker) => breaker.getStatus());
  }

  /** What `restore` needs to go on from here, as JSON: a list of names and states. */
  exportStates(): readonly (readonly [name: string, state: CircuitBreakerRecord])[] {
    return [...this.#breakers].map(([name, breaker]) => [name, breaker.exportState()]);
  }

  /**
   * Makes the breakers of `exportStates`, in place of those of the same names. If one cannot be read, none is made.
   *
   * @throws ConnectionError `INVALID_BREAKER_STATE`, `TOO_MANY_BREAKERS`
   */
  restore(states: Iterable<readonly [name: string, state: unknown]>): void {
    const made = pairsOf(states).map(([name, state]) => CircuitBreaker.fromState(name, state, this.#defaults));
    for (const breaker of made) {
      this.#breakers.delete(breaker.name);
      this.#keep(breaker);
    }
  }

  #keep(breaker: CircuitBreaker): void {
    if (this.#breakers.size >= this.#maxBreakers) this.#makeRoom();
    this.#breakers.set(breaker.name, breaker);
  }

  #makeRoom(): void {
    for (const [name, breaker] of this.#breakers) {
      const { state, forced, consecutiveFailures, openings } = breaker.getStatus();
      if (state !== 'CLOSED' || forced || consecutiveFailures > 0 || openings > 0) continue;
      this.#breakers.delete(name);
      this.#forgotten += 1;
      return;
    }
    throw new ConnectionError(
      `there are ${this.#maxBreakers} circuit breakers already, and each has something to remember`,
      verdict('O', 'TOO_MANY_BREAKERS', { remedy: 'delete those that are not used, or raise maxBreakers' }),
    );
  }
}

type Pair = readonly [name: string, state: unknown];

/** @throws ArgumentError for what is no list of names and states */
function pairsOf(states: Iterable<Pair>): readonly Pair[] {
  const isIterable = typeof states === 'object' && states !== null && Symbol.iterator in states;
  if (!isIterable) throw new ArgumentError('states', 'a list of names and states', states);
  const pairs = [...states];
  const wrong = pairs.findIndex((pair) => !Array.isArray(pair));
  if (wrong >= 0) throw new ArgumentError(`states[${wrong}]`, 'a name and a state', pairs[wrong]);
  return pairs;
}
