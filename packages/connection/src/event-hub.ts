/**
 * Typed events of one object. Listeners hear every event in the order in which things happened, even when one of
 * them causes the next; none of them can alter, or by failing hide, what happened.
 */
import { notify } from './listeners.ts';
import type { Logger } from './ports.ts';

type Listener = (event: never) => unknown;

export class EventHub<Events extends object> {
  readonly #logger: Logger;
  readonly #listeners = new Map<keyof Events, Set<Listener>>();
  readonly #pending: (() => void)[] = [];
  #delivering = false;
  #faults = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Listeners' failures so far. */
  get faults(): number {
    return this.#faults;
  }

  /** Calls `listener` at every event of this name, once however often it is added. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => unknown): void {
    const listeners = this.#listeners.get(name) ?? new Set<Listener>();
    this.#listeners.set(name, listeners.add(listener));
  }

  off<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => unknown): void {
    const listeners = this.#listeners.get(name);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#listeners.delete(name);
  }

  hears(name: keyof Events): boolean {
    return this.#listeners.has(name);
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      this.#pending.push(() =>
        notify(listener as (event: Events[Name]) => unknown, event, String(name), this.#logger, () => {
          this.#faults += 1;
        }),
      );
    }
    if (this.#delivering) return;
    this.#delivering = true;
    for (let deliver = this.#pending.shift(); deliver !== undefined; deliver = this.#pending.shift()) deliver();
    this.#delivering = false;
  }
}
