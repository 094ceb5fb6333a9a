/** Anchors off an audit folder's own checkpoints: to be taken away and kept elsewhere. */
import { join } from 'node:path';
import * as must from '../arguments.ts';
import { AuditError, messageOf } from '../errors.ts';
import { readLines } from '../files/read-lines.ts';
import type { Anchor } from './anchor-file.ts';
import { longestEntryBytes } from './audit-entry.ts';
import { isSegment, listAuditFiles } from './audit-files.ts';
import { keyHistoryName, readKeyHistory } from './audit-keys.ts';
import { parseRecord } from './signed-records.ts';

export interface FolderAnchors {
  /** In the order of their numbers. */
  readonly anchors: readonly Anchor[];
  /** The 32 bytes of each, base64; oldest first. */
  readonly publicKeys: readonly string[];
}

/**
 * The last `limit` checkpoints of the folder, from its newest segments.
 *
 * @throws ArgumentError
 * @throws AuditError `AUDIT_UNREADABLE` at a segment that is damaged, `AUDIT_KEY_WRONG` at a damaged list of keys
 */
export async function readFolderAnchors(folder: string, limit = 1_000): Promise<FolderAnchors> {
  must.filledText('folder', folder);
  must.wholeCount('limit', limit);
  let anchors: Anchor[] = [];
  for (const { path } of listAuditFiles(folder).filter(isSegment).toReversed()) {
    if (anchors.length >= limit) break;
    const found: Anchor[] = [];
    try {
      for await (const { text } of readLines(path, 2 * longestEntryBytes)) {
        if (text?.startsWith('{"v":2,"kind":"checkpoint"') !== true) continue;
        const record = parseRecord(text);
        if (record?.kind === 'checkpoint') found.push(asAnchor(record.facts));
      }
    } catch (error) {
      throw new AuditError('AUDIT_UNREADABLE', `${path} cannot be read: ${messageOf(error)}`, error);
    }
    anchors = [...found, ...anchors];
  }
  const history = readKeyHistory(join(folder, keyHistoryName));
  return { anchors: anchors.slice(-limit), publicKeys: history?.keys.map(({ public_key }) => public_key) ?? [] };
}

function asAnchor({ robot_id, segment, seq, hash, at, key_id, signature }: Anchor): Anchor {
  return { robot_id, segment, seq, hash, at, key_id, signature };
}
