/** How the writer's own news read as entries. */
import { AuditEventType, type AuditSeverity } from './audit-event.ts';
import type { HandOver } from './audit-keys.ts';
import type { WriterNews } from './audit-writer.ts';

export interface NewsEntry {
  readonly type: AuditEventType;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** Default: what is usual for the type. */
  readonly severity?: AuditSeverity;
  /** Default: the robot. */
  readonly actor?: string;
}

export function newsEntry(news: WriterNews): NewsEntry {
  switch (news.kind) {
    case 'lost': {
      const { count, unsynced, sinceMs, error } = news.lost;
      const message =
        count > 0 || unsynced === 0
          ? `${count} audit entries could not be written`
          : `${unsynced} audit entries could not be synced and may not have survived`;
      const details = { count, unsynced, since: new Date(sinceMs).toISOString(), error };
      return { type: AuditEventType.AUDIT_ENTRIES_LOST, message, details };
    }
    case 'chain-started': {
      const { files, lastSeq, listSha256 } = news;
      const message = `The chain begins; ${files} file(s) from before it are kept as they are`;
      const details = { files, last_seq: lastSeq, list_sha256: listSha256 };
      return { type: AuditEventType.AUDIT_CHAIN_STARTED, message, details };
    }
    case 'adopted': {
      const { fromSeq, toSeq, hash, isAfterClose } = news.entries;
      const count = toSeq - fromSeq + 1;
      const message =
        `${count} entries behind the last signed checkpoint adopted, from ${fromSeq} to ${toSeq}, not signed when written; ` +
        (isAfterClose
          ? 'the robot had closed the log before them and did not write them'
          : 'the writer had not closed');
      const details = { count, from_seq: fromSeq, to_seq: toSeq, hash, after_close: isAfterClose };
      const severity = isAfterClose ? 'critical' : 'info';
      return { type: AuditEventType.AUDIT_ENTRIES_ADOPTED, message, details, severity };
    }
    case 'rotated': {
      const { old_key_id, new_key_id } = news.rotation;
      const message = `Audit key ${old_key_id} hands over to ${new_key_id}`;
      return { type: AuditEventType.AUDIT_KEY_ROTATED, message, details: { ...news.rotation }, ...actorOf(news) };
    }
    case 'replaced': {
      const { old_key_id, new_key_id } = news.rotation;
      const message = `Audit key ${new_key_id} replaces ${old_key_id}, which is gone and could not vouch for it`;
      return { type: AuditEventType.AUDIT_KEY_REPLACED, message, details: { ...news.rotation }, ...actorOf(news) };
    }
  }
}

function actorOf({ madeBy }: HandOver): { readonly actor?: string } {
  return madeBy === null ? {} : { actor: madeBy };
}
