/**
 * Which files of an audit folder a reader has to look into, in the order of their entries. A name alone hides nothing: what it
 * says counts only where the file's own entries agree.
 */
import { statSync } from 'node:fs';
import { readSegmentEnd } from './audit-end.ts';
import { type AuditFile, dayOf, listAuditFiles } from './audit-files.ts';
import { readSegmentHead, type SegmentHead } from './segment-head.ts';

interface KnownHead {
  /** Another one: the file has changed. */
  readonly stamp: string;
  readonly head: SegmentHead | null;
}

/** How the files begin, kept from one reading to the next: those that were closed do not change. */
export class SegmentHeads {
  #known: ReadonlyMap<string, KnownHead> = new Map();

  async ofAll(files: readonly AuditFile[]): Promise<ReadonlyMap<AuditFile, SegmentHead | null>> {
    const known = new Map<string, KnownHead>();
    const heads = new Map<AuditFile, SegmentHead | null>();
    for (const file of files) {
      const stat = statSync(file.path, { throwIfNoEntry: false });
      const stamp = `${stat?.ino}:${stat?.size}:${stat?.mtimeMs}`;
      const former = this.#known.get(file.path);
      // Whoever cannot look into it now is told when it is read.
      const head = former?.stamp === stamp ? former.head : await readSegmentHead(file.path).catch(() => null);
      known.set(file.path, { stamp, head });
      heads.set(file, head);
    }
    this.#known = known;
    return heads;
  }
}

/** @param sinceMs files that surely have no entry from then on are left out; wall-clock ms */
export async function filesInOrder(
  folder: string,
  sinceMs: number | undefined,
  heads: SegmentHeads = new SegmentHeads(),
): Promise<readonly AuditFile[]> {
  const files = listAuditFiles(folder);
  const headOf = await heads.ofAll(files);
  let seq = 0;
  const placed = files.map((file) => {
    seq = headOf.get(file)?.seq ?? seq;
    return { file, seq };
  });
  const first = sinceMs === undefined ? '' : dayOf(sinceMs);
  return placed
    .sort((a, b) => a.seq - b.seq)
    .map(({ file }) => file)
    .filter((file) => file.day >= first || !isOfItsDay(file, headOf.get(file) ?? null));
}

/** Whether no entry is later than the day in the name, as far as both ends of the file tell. */
function isOfItsDay({ path, day, isCompressed }: AuditFile, head: SegmentHead | null): boolean {
  if (head === null || head.day === null || head.day > day || (head.openedDay ?? day) !== day) return false;
  try {
    return isCompressed || (readSegmentEnd(path).day ?? '9999') <= day;
  } catch {
    return false;
  }
}
