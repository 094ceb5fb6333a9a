/**
 * Live objects of one run (browsers, connections). Ids are never used again, not even by a resumed run, so
 * that a reference from before a restart finds nothing rather than something else.
 */
import type { JsonObject, JsonValue } from '../json.ts';
import type { ResourceScope } from '../node-contract.ts';
import type { Clock, Logger } from '../ports.ts';

/** The key that makes a plain object a reference; its value is the kind. */
const KIND_KEY = '$resource';

interface Held {
  readonly id: string;
  readonly kind: string;
  readonly name: string | undefined;
  readonly value: unknown;
  readonly dispose: () => Promise<void>;
}

export interface RunResourcesOptions {
  /** Part of every id: differs from session to session of a run. */
  readonly session: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long one disposal may take, in ms. Default 10,000. */
  readonly disposeTimeoutMs?: number;
}

export class RunResources implements ResourceScope {
  readonly #options: RunResourcesOptions;
  #held: Held[] = [];
  #made = 0;
  #isClosed = false;

  constructor(options: RunResourcesOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  put(kind: string, value: unknown, dispose: () => Promise<void>, name?: string): JsonObject {
    this.#made += 1;
    const id = `${this.#options.session}.${this.#made}`;
    const held: Held = { id, kind, name, value, dispose };
    if (this.#isClosed) this.#disposeLate(held);
    else this.#held.push(held);
    return { [KIND_KEY]: kind, id, ...(name === undefined ? {} : { name }) };
  }

  get<T>(kind: string, ref?: JsonValue): T | undefined {
    return this.#find(kind, ref)?.value as T | undefined;
  }

  async close(kind: string, ref?: JsonValue): Promise<boolean> {
    const held = this.#find(kind, ref);
    if (held === undefined) return false;
    this.#held = this.#held.filter((other) => other !== held);
    await held.dispose();
    return true;
  }

  /** Disposes what is left, newest first. Never rejects: what cannot be disposed in time is logged and left. */
  async disposeAll(): Promise<void> {
    this.#isClosed = true;
    for (let held = this.#held.pop(); held !== undefined; held = this.#held.pop()) await this.#dispose(held);
  }

  /** What an abandoned node opens after the end of the run is closed again at once. */
  #disposeLate(held: Held): void {
    this.#dispose(held).catch((error: unknown) => {
      this.#options.logger.log('error', `A late ${held.kind} could not be closed: ${String(error)}`);
    });
  }

  /** By id for a reference, by name for a text, the newest of the kind for nothing. */
  #find(kind: string, ref: JsonValue | undefined): Held | undefined {
    const ofKind = this.#held.filter((held) => held.kind === kind);
    if (ref === undefined || ref === null || ref === '') return ofKind.at(-1);
    if (typeof ref === 'string') return ofKind.findLast((held) => held.name === ref);
    const id = typeof ref === 'object' && !Array.isArray(ref) ? (ref as JsonObject).id : undefined;
    return ofKind.find((held) => held.id === id);
  }

  async #dispose(held: Held): Promise<void> {
    const { clock, logger, disposeTimeoutMs = 10_000 } = this.#options;
    const fields = { kind: held.kind, id: held.id };
    const timer = new AbortController();
    const late = clock.sleep(disposeTimeoutMs, timer.signal).then(
      () => 'late' as const,
      () => 'late' as const,
    );
    try {
      const end = await Promise.race([held.dispose(), late]);
      if (end === 'late') logger.log('warning', `A ${held.kind} was not closed within ${disposeTimeoutMs} ms.`, fields);
    } catch (error) {
      logger.log('warning', `A ${held.kind} could not be closed: ${String(error)}`, fields);
    } finally {
      timer.abort();
    }
  }
}
