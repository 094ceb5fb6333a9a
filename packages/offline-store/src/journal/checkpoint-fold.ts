/**
 * The latest checkpoint as a fold over the journal (I10). Two kinds of entries make one: those that
 * `saveCheckpoint` writes (a snapshot, or what changed since the checkpoint before), and the `began` and
 * `result` entries of an engine, which say what each node changed.
 */
import { isPlainObject, type JsonObject, type JsonValue } from '../json.ts';
import { putSecrets, type SecretPart } from '../secrets/secret-parts.ts';
import type { StateDelta } from './state-delta.ts';

export const snapshotKind = 'checkpoint_snapshot';
export const deltaKind = 'checkpoint_delta';

export interface FoldableEntry {
  readonly kind: string;
  readonly node_id?: string;
  readonly checkpoint_id?: string;
  readonly state?: JsonObject;
  readonly delta?: StateDelta;
  readonly variables?: JsonObject;
  readonly outputs?: JsonObject;
  /** Secret parts of a checkpoint, opened; absent when they are those of the checkpoint before. */
  readonly secrets?: readonly SecretPart[];
}

export interface FoldedCheckpoint {
  readonly checkpointId: string;
  readonly nodeId: string;
  readonly state: JsonObject;
  readonly savedAtMs: number;
}

export function isCheckpointKind(kind: string): boolean {
  return kind === snapshotKind || kind === deltaKind;
}

export class CheckpointFold {
  readonly #fields = new Map<string, JsonValue | Map<string, JsonValue>>();
  #secrets: readonly SecretPart[] = [];
  #latest: Omit<FoldedCheckpoint, 'state'> | null = null;

  add(entry: FoldableEntry, row: { readonly seq: number; readonly recordedAtMs: number }): void {
    if (!this.#apply(entry) || entry.node_id === undefined) return;
    this.#latest = {
      checkpointId: entry.checkpoint_id ?? `cp-${row.seq}`,
      nodeId: entry.node_id,
      savedAtMs: row.recordedAtMs,
    };
  }

  /** Says which node ended last before the snapshot from which the fold starts. */
  startAfter(row: { readonly seq: number; readonly recordedAtMs: number; readonly nodeId: string | null }): void {
    if (row.nodeId === null) return;
    this.#latest = { checkpointId: `cp-${row.seq}`, nodeId: row.nodeId, savedAtMs: row.recordedAtMs };
  }

  /** Null when no node has finished yet. */
  latest(): FoldedCheckpoint | null {
    return this.#latest === null ? null : { ...this.#latest, state: this.#state() };
  }

  #state(): JsonObject {
    const fields = [...this.#fields].map(([field, value]) => {
      return [field, value instanceof Map ? Object.fromEntries(value) : value] as const;
    });
    const state = Object.fromEntries(fields) as JsonObject;
    return this.#secrets.length === 0 ? state : putSecrets(structuredClone(state), this.#secrets);
  }

  /** What an engine writes from now on is newer than the secret parts of the last checkpoint. */
  #putSecretsIn(): void {
    if (this.#secrets.length === 0) return;
    const state = this.#state();
    this.#secrets = [];
    this.#fields.clear();
    this.#setFields(state);
  }

  #apply(entry: FoldableEntry): boolean {
    if (!isCheckpointKind(entry.kind)) this.#putSecretsIn();
    switch (entry.kind) {
      case snapshotKind:
        this.#fields.clear();
        this.#setFields(entry.state ?? {});
        this.#secrets = entry.secrets ?? [];
        return true;
      case deltaKind:
        if (entry.delta !== undefined) this.#applyDelta(entry.delta);
        if (entry.secrets !== undefined) this.#secrets = entry.secrets;
        return true;
      case 'snapshot':
        for (const field of ['variables', 'outputs']) this.#merge(field, pairsOf(entry.state?.[field]));
        return false;
      case 'began':
        this.#merge('variables', entry.variables ?? {});
        return true;
      case 'result':
        this.#merge('variables', entry.variables ?? {});
        if (entry.node_id !== undefined) this.#inside('outputs').set(entry.node_id, entry.outputs ?? {});
        return true;
      default:
        return false;
    }
  }

  #applyDelta(delta: StateDelta): void {
    for (const field of delta.unset) this.#fields.delete(field);
    this.#setFields(delta.set);
    for (const [field, change] of Object.entries(delta.inside)) {
      for (const key of change.unset) this.#inside(field).delete(key);
      this.#merge(field, change.set);
    }
  }

  #setFields(values: JsonObject): void {
    for (const [field, value] of Object.entries(values)) {
      this.#fields.set(field, isPlainObject(value) ? new Map(Object.entries(value as JsonObject)) : value);
    }
  }

  #merge(field: string, values: JsonObject): void {
    const target = this.#inside(field);
    for (const [key, value] of Object.entries(values)) target.set(key, value);
  }

  #inside(field: string): Map<string, JsonValue> {
    const present = this.#fields.get(field);
    if (present instanceof Map) return present;
    const fresh = new Map<string, JsonValue>();
    this.#fields.set(field, fresh);
    return fresh;
  }
}

/** An engine's snapshot holds its maps as lists of pairs, or as objects. */
function pairsOf(value: JsonValue | undefined): JsonObject {
  if (isPlainObject(value)) return value as JsonObject;
  const pairs = Array.isArray(value) ? (value as readonly (readonly [string, JsonValue])[]) : [];
  return Object.fromEntries(pairs);
}
