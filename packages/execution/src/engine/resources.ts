/**
 * Live objects of one run (browsers, connections). Ids are never used again, not even by a resumed run, so
 * that a reference from before a restart finds nothing rather than something else.
 *
 * What a restorable node type puts here is recorded with the node's result (`ResourceChange`), and so survives a restart
 * as a record without an object: `find` then has the type make it anew under its old id. What is still open when the
 * run ends is disposed, newest first.
 *
 * Branches and items that run side by side do not see what the others hold, unless they are given a reference to it.
 */
import { NodeError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { LostResource, ResourceScope } from '../node-contract.ts';
import type { Clock, Logger } from '../ports.ts';
import type { LiveResource, ResourceChange } from './resource-record.ts';
import type { OpenResource } from './run-evidence.ts';

/** The key that makes a plain object a reference; its value is the kind. */
const KIND_KEY = '$resource';

/** How many of a kind one job may hold at a time, by kind; `*` for the kinds that are not named. */
export type ResourceLimits = Readonly<Record<string, number>>;

interface Held {
  readonly id: string;
  /** The id of the lane in which it was made. */
  readonly lane: string;
  readonly kind: string;
  readonly name: string | undefined;
  readonly value: unknown;
  readonly dispose: () => Promise<void>;
}

/** Makes a node's lost resources anew; rejects with what the node type throws. */
export type Restorer = (nodeId: string, lost: readonly LostResource[]) => Promise<void>;

/** Of one call of a node. */
export interface ResourceCall {
  readonly nodeId: string;
  /** The id of the lane in which the node runs. */
  readonly lane: string;
  /** Whether the node's type can restore what it puts. */
  readonly isRestorable: boolean;
  readonly restore: Restorer;
}

export interface RunResourcesOptions {
  /** Part of every id: differs from session to session of a run. */
  readonly session: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Resources that the journal knows; those that are not held were lost with an earlier process. */
  readonly records?: ReadonlyMap<string, LiveResource>;
  /** Default: no limit. */
  readonly limits?: ResourceLimits;
  /** How long one disposal may take, in ms. Default 10,000. */
  readonly disposeTimeoutMs?: number;
}

export class RunResources {
  readonly #options: RunResourcesOptions;
  /** Restores that are under way, by node. */
  readonly #restoring = new Map<string, Promise<void>>();
  #held: Held[] = [];
  #made = 0;
  #isClosed = false;

  constructor(options: RunResourcesOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  /** The resources as one call of a node sees them, and the list of what it changes about them. */
  scopeOf(call: ResourceCall): { readonly scope: ResourceScope; readonly changes: readonly ResourceChange[] } {
    const changes: ResourceChange[] = [];
    const scope: ResourceScope = {
      put: (kind, value, dispose, name, evidence = {}, sealed = undefined) => {
        const reference = this.#put(kind, value, dispose, { lane: call.lane, name });
        if (call.isRestorable) {
          const { id } = reference as { readonly id: string };
          changes.push({
            op: 'opened',
            id,
            kind,
            name: name ?? null,
            evidence,
            ...(sealed === undefined ? {} : { sealed }),
            node_id: call.nodeId,
            ...laneMark(call.lane),
          });
        }
        return reference;
      },
      get: <T>(kind: string, ref?: JsonValue) => this.#find(kind, ref, call.lane)?.value as T | undefined,
      find: async <T>(kind: string, ref?: JsonValue) => (await this.#findOrRestore(kind, ref, call))?.value as T,
      note: (ref, evidence, sealed) => {
        const id = idOf(ref);
        if (id !== null && this.#isRecorded(id, changes)) {
          changes.push({ op: 'noted', id, evidence, ...(sealed === undefined ? {} : { sealed }) });
        }
      },
      requireRoom: (kind) => this.#requireRoom(kind),
      close: async (kind, ref) => {
        const id = this.#find(kind, ref, call.lane)?.id ?? this.#findLost(kind, ref, call.lane)?.id;
        if (id === undefined) return false;
        if (this.#isRecorded(id, changes)) changes.push({ op: 'closed', id });
        await this.#close(id);
        return true;
      },
    };
    return { scope, changes };
  }

  /** What is held now, oldest first. */
  get open(): readonly OpenResource[] {
    return this.#held.map(({ kind, name, value }) => ({ kind, name: name ?? null, value }));
  }

  /** Disposes what is left, newest first. Never rejects: what cannot be disposed in time is logged and left. */
  async disposeAll(): Promise<void> {
    this.#isClosed = true;
    for (let held = this.#held.pop(); held !== undefined; held = this.#held.pop()) await this.#dispose(held);
  }

  #put(
    kind: string,
    value: unknown,
    dispose: () => Promise<void>,
    { lane, name, id = this.#nextId() }: { lane: string; name: string | undefined; id?: string },
  ): JsonObject {
    const held: Held = { id, lane, kind, name, value, dispose };
    if (this.#isClosed) this.#disposeLate(held);
    else {
      try {
        this.#requireRoom(kind);
      } catch (refusal) {
        this.#disposeLate(held);
        throw refusal;
      }
      this.#held.push(held);
    }
    return { [KIND_KEY]: kind, id, ...(name === undefined ? {} : { name }) };
  }

  #nextId(): string {
    this.#made += 1;
    return `${this.#options.session}.${this.#made}`;
  }

  async #close(id: string): Promise<void> {
    const held = this.#held.find((other) => other.id === id);
    if (held === undefined) return;
    this.#held = this.#held.filter((other) => other !== held);
    await held.dispose();
  }

  #requireRoom(kind: string): void {
    const { limits = {} } = this.#options;
    const limit = limits[kind] ?? limits['*'];
    if (limit === undefined || this.#held.filter((held) => held.kind === kind).length < limit) return;
    throw new NodeError(
      `The job holds ${limit} of the kind "${kind}" already, which is as many as it may: close one before, ` +
        'or raise the limit in the section "limits" of the configuration.',
      { code: 'RESOURCE_LIMIT', errorType: 'ResourceError', details: { kind, limit } },
    );
  }

  async #findOrRestore(kind: string, ref: JsonValue | undefined, call: ResourceCall): Promise<Held | undefined> {
    const held = this.#find(kind, ref, call.lane);
    if (held !== undefined) return held;
    const lost = this.#findLost(kind, ref, call.lane);
    if (lost === undefined) return undefined;
    const { node_id: nodeId } = lost;
    const restoring = this.#restoring.get(nodeId) ?? this.#restore(nodeId, call.restore);
    this.#restoring.set(nodeId, restoring);
    try {
      await restoring;
    } finally {
      this.#restoring.delete(nodeId);
    }
    return this.#held.find((other) => other.id === lost.id);
  }

  async #restore(nodeId: string, restore: Restorer): Promise<void> {
    const records = [...this.#lost()].filter((record) => record.node_id === nodeId);
    await restore(
      nodeId,
      records.map(({ id, kind, name, evidence, sealed = {}, lane = '' }) => ({
        kind,
        name,
        evidence,
        sealed,
        bringBack: (value, dispose) => this.#put(kind, value, dispose, { lane, name: name ?? undefined, id }),
      })),
    );
  }

  /** By id for a reference, by name for a text, the newest of the kind for nothing. */
  #find(kind: string, ref: JsonValue | undefined, lane: string): Held | undefined {
    return choose(
      this.#held.filter((held) => held.kind === kind),
      ref,
      lane,
    );
  }

  #findLost(kind: string, ref: JsonValue | undefined, lane: string): LiveResource | undefined {
    return choose(
      this.#lost().filter((record) => record.kind === kind),
      ref,
      lane,
    );
  }

  /** Oldest first. */
  #lost(): readonly LiveResource[] {
    const held = new Set(this.#held.map(({ id }) => id));
    return [...(this.#options.records?.values() ?? [])].filter(({ id }) => !held.has(id));
  }

  #isRecorded(id: string, changes: readonly ResourceChange[]): boolean {
    return this.#options.records?.has(id) === true || changes.some((change) => change.id === id);
  }

  /** What an abandoned node opens after the end of the run, or beyond a limit, is closed again at once. */
  #disposeLate(held: Held): void {
    this.#dispose(held).catch((error: unknown) => {
      this.#options.logger.log('error', `A late ${held.kind} could not be closed: ${String(error)}`);
    });
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

interface Choice {
  readonly id: string;
  readonly name?: string | null | undefined;
  readonly lane?: string;
}

function choose<T extends Choice>(ofKind: readonly T[], ref: JsonValue | undefined, lane: string): T | undefined {
  const visible = (item: T): boolean => isInSight(item.lane ?? '', lane);
  if (ref === undefined || ref === null || ref === '') return ofKind.findLast(visible);
  if (typeof ref === 'string') return ofKind.findLast((item) => item.name === ref && visible(item));
  const id = idOf(ref);
  return ofKind.find((item) => item.id === id);
}

/** From a lane, what it holds itself, what those around it hold, and what those inside of it have left. */
function isInSight(holder: string, lane: string): boolean {
  return lane.startsWith(holder) || holder.startsWith(lane);
}

function laneMark(lane: string): { readonly lane?: string } {
  return lane === '' ? {} : { lane };
}

function idOf(ref: JsonValue): string | null {
  const id = typeof ref === 'object' && ref !== null && !Array.isArray(ref) ? (ref as JsonObject).id : undefined;
  return typeof id === 'string' ? id : null;
}
