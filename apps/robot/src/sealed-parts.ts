/** Which parts of journal entries the store is to seal: those that the engine has marked (I8). */
import type { JournalEntry } from '@casare/execution';
import type { SecretPart } from '@casare/offline-store';

export function sealedParts(entries: readonly JournalEntry[]): readonly SecretPart[] {
  return entries.flatMap(({ secret = [] }, entry) => secret.map((path) => ({ entry, path })));
}
