/**
 * The outbox drafts of a commit as they lie in its journal row, until the outbox takes them in: `[17, ["event", "{}",
 * false], ...]`, behind the id that the first of them has in the outbox. Up to version 3 of the file there was no id.
 */
import { StoreError } from '../errors.ts';
import { encodeJson } from '../json.ts';
import { draftNames, refuseSlips } from '../option-names.ts';
import { isKeepable, keepable } from '../queue-arguments.ts';
import type { OutboxDraft } from './outbox.ts';

/** A draft whose payload is JSON text by now. */
export interface EncodedDraft {
  readonly kind: string;
  readonly payload: string;
  readonly keep: boolean;
}

/** The drafts of a commit on their way to its row. */
export interface EncodedDrafts {
  /** What stands in the row behind the first one's id: `["event", "{}", false], ...`. */
  readonly text: string;
  readonly count: number;
}

export const noDrafts: EncodedDrafts = { text: '', count: 0 };

/** @throws StoreError `NOT_SERIALIZABLE`, `INVALID_ARGUMENT` */
export function encodeDrafts(drafts: readonly OutboxDraft[]): EncodedDrafts {
  if (drafts.length === 0) return noDrafts;
  return joined(
    drafts.map((draft): DraftText => {
      refuseSlips(draft, 'outbox', draftNames);
      const { kind, payload, keep } = draft;
      if (typeof kind !== 'string' || kind === '' || !isKeepable(kind)) {
        throw new StoreError('INVALID_ARGUMENT', `An outbox entry has a "kind", a text ${keepable}.`);
      }
      return [kind, encodeJson(payload, `payload of outbox entry "${kind}"`), keep === true];
    }),
  );
}

/** The drafts in their row, the first of them under `firstId`. */
export function rowText(firstId: number, drafts: EncodedDrafts): string {
  return `[${firstId},${drafts.text}]`;
}

export function decodeRow(text: string): { readonly firstId: number | null; readonly drafts: EncodedDraft[] } {
  const list = JSON.parse(text) as readonly (number | DraftText)[];
  const drafts: EncodedDraft[] = [];
  for (const part of list) {
    if (typeof part !== 'number') drafts.push({ kind: part[0], payload: part[1], keep: part[2] });
  }
  return { firstId: typeof list[0] === 'number' ? list[0] : null, drafts };
}

export function decodeDrafts({ text }: EncodedDrafts): EncodedDraft[] {
  return decodeRow(`[${text}]`).drafts;
}

/** Those that must be kept. */
export function kept(drafts: EncodedDrafts): EncodedDrafts {
  return joined(listOf(drafts).filter(([, , keep]) => keep));
}

/** All of them, to be kept. */
export function keepAll(drafts: EncodedDrafts): EncodedDrafts {
  return joined(listOf(drafts).map(([kind, payload]) => [kind, payload, true]));
}

type DraftText = readonly [kind: string, payload: string, keep: boolean];

function listOf({ text }: EncodedDrafts): readonly DraftText[] {
  return JSON.parse(`[${text}]`) as readonly DraftText[];
}

function joined(drafts: readonly DraftText[]): EncodedDrafts {
  return { text: JSON.stringify(drafts).slice(1, -1), count: drafts.length };
}
