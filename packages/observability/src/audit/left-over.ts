/** Segments that the tombstone stands for already and that are there all the same: a crash kept them, or somebody renamed others. */
import type { AuditSegment } from './audit-files.ts';
import { ChainChecker } from './chain-checker.ts';
import { mostUnsigned } from './chain-line.ts';
import { checkSegment } from './check-segment.ts';
import type { TombstoneFacts } from './signed-records.ts';
import type { TrustedKeys } from './trusted-keys.ts';

/** Why the tombstone does not stand for this file; null: it does. */
export async function leftOverFault(
  file: AuditSegment,
  { last_seq: lastSeq, last_hash: lastHash }: TombstoneFacts,
  keys: TrustedKeys,
): Promise<string | null> {
  let fault: string | null = null;
  const report = ({ what }: { readonly what: string }): void => {
    fault ??= what;
  };
  const checker = new ChainChecker({
    start: null,
    isPart: true,
    former: null,
    keys,
    anchors: [],
    report,
    mostUnsigned,
  });
  await checkSegment(file, checker, false);
  const { seq, hash } = checker.head;
  if (seq > lastSeq) fault ??= `it holds entries up to ${seq}`;
  if (seq === lastSeq && hash !== lastHash) fault ??= `entry ${seq} is another one than was removed`;
  return fault;
}
