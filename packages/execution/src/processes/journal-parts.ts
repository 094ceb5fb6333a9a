/** Cuts a loaded journal into messages, each of which is read in little time and fits into a frame of the channel. */
import type { JournalEntry } from '../engine/journal.ts';
import { roughSize } from '../engine/rough-size.ts';

const maxEntries = 500;
/** In characters. An entry that is larger is a part of its own. */
const maxSize = 1024 * 1024;

export function* journalParts(entries: readonly JournalEntry[]): Generator<readonly JournalEntry[]> {
  let part: JournalEntry[] = [];
  let size = 0;
  for (const entry of entries) {
    const added = roughSize(entry);
    if (part.length === maxEntries || (part.length > 0 && size + added > maxSize)) {
      yield part;
      part = [];
      size = 0;
    }
    part.push(entry);
    size += added;
  }
  if (part.length > 0) yield part;
}
