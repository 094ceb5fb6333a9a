/** How the writer's own news read as entries. */
import { AuditEventType } from './audit-event.ts';
import type { HandOver } from './audit-keys.ts';
import type { WriterNews } from './audit-writer.ts';

export interface NewsEntry {
  readonly type: AuditEventType;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
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
