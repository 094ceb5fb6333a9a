/**
 * The outbox drafts of a commit as they lie in its journal row, until the outbox takes them in: `[17, ["event", "{}",
 * false], ...]`, behind the id that the first of them has in the outbox. Up to version 3 of the file there was no id.
 */
import type { EncodedDraft } from '../journal/journal-entry.ts';

type DraftText = readonly [kind: string, payload: string, keep: boolean];

export function encodeDrafts(firstId: number, drafts: readonly EncodedDraft[]): string {
  const list: (number | DraftText)[] = [firstId];
  for (const { kind, payload, keep } of drafts) list.push([kind, payload, keep]);
  return JSON.stringify(list);
}

export function decodeDrafts(text: string): { readonly firstId: number | null; readonly drafts: EncodedDraft[] } {
  const list = JSON.parse(text) as readonly (number | DraftText)[];
  const drafts: EncodedDraft[] = [];
  for (const part of list) {
    if (typeof part !== 'number') drafts.push({ kind: part[0], payload: part[1], keep: part[2] });
  }
  return { firstId: typeof list[0] === 'number' ? list[0] : null, drafts };
}
