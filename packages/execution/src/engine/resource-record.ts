/** What the journal knows of a run's live objects, so that a resumed run can have them made anew. */
import type { JsonObject } from '../json.ts';

/** A live object as it is recorded; see `NodeType.restore`. */
export interface LiveResource {
  readonly id: string;
  readonly kind: string;
  readonly name: string | null;
  readonly evidence: JsonObject;
  /** What is kept encrypted of it; absent: nothing. */
  readonly sealed?: JsonObject;
  /** The node that made it. */
  readonly node_id: string;
  /** The branch or item in which it did; absent for the root lane. */
  readonly lane?: string;
}

/** What one run of a node did to the recorded objects. */
export type ResourceChange =
  | ({ readonly op: 'opened' } & LiveResource)
  /** `sealed`: what has changed of it; a null takes a key away. */
  | { readonly op: 'noted'; readonly id: string; readonly evidence: JsonObject; readonly sealed?: JsonObject }
  | { readonly op: 'closed'; readonly id: string };

/** Changes `records`, which the fold owns. */
export function applyResourceChanges(records: Map<string, LiveResource>, changes: readonly ResourceChange[]): void {
  for (const change of changes) {
    if (change.op === 'closed') records.delete(change.id);
    else if (change.op === 'opened') {
      const { op: _op, ...record } = change;
      records.set(change.id, record);
    } else {
      const record = records.get(change.id);
      if (record !== undefined) records.set(change.id, noted(record, change));
    }
  }
}

function noted(record: LiveResource, { evidence, sealed }: Extract<ResourceChange, { op: 'noted' }>): LiveResource {
  if (sealed === undefined) return { ...record, evidence };
  const kept = Object.entries({ ...record.sealed, ...sealed }).filter(([, value]) => value !== null);
  return { ...record, evidence, sealed: Object.fromEntries(kept) };
}
