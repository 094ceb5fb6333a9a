/**
 * Appending, and finding out after a crash whether it happened.
 *
 * The text goes to the file in one write on an append-only descriptor, so it is there whole or not at all
 * unless the disk fills up or the machine dies in that moment. The evidence, taken before, says how long the
 * file was; {@link probeAppend} compares it with the file as it is now.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { NodeError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../ports.ts';
import { isObject } from '../values/kind-of.ts';
import { withHandle } from './replace-file.ts';
import { statOrNull } from './stat-or-null.ts';

export interface AppendEvidence extends JsonObject {
  readonly path: string;
  /** Null: there was no such file. */
  readonly size_before: number | null;
  readonly bytes_length: number;
  readonly sha256: string;
}

export type AppendVerdict =
  | { readonly state: 'done'; readonly path: string; readonly bytesWritten: number }
  | { readonly state: 'not-done' }
  | { readonly state: 'unknown'; readonly reason: string };

/** @param bytesAt gives the bytes to append to a file of that size; a byte order mark depends on it */
export async function appendEvidence(path: string, bytesAt: (size: number) => Buffer): Promise<AppendEvidence> {
  const size_before = (await statOrNull(path))?.size ?? null;
  const bytes = bytesAt(size_before ?? 0);
  return { path, size_before, bytes_length: bytes.length, sha256: sha256(bytes) };
}

/** @throws NodeError `FILE_WRITE_TORN` when only a part was written */
export async function appendBytes(
  path: string,
  bytesAt: (size: number) => Buffer,
  options: { readonly create: boolean },
): Promise<number> {
  const flags = constants.O_WRONLY | constants.O_APPEND | (options.create ? constants.O_CREAT : 0);
  return withHandle(await open(path, flags), async (handle) => {
    const before = await handle.stat();
    const bytes = bytesAt(before.size);
    const { bytesWritten } = await handle.write(bytes);
    if (bytesWritten < bytes.length) {
      throw new NodeError(
        `Only ${bytesWritten} of ${bytes.length} bytes were appended to ${path}: the disk is probably full. ` +
          `Free some space, and cut the file back to ${before.size} bytes before the node runs again`,
        { code: 'FILE_WRITE_TORN', ambiguous: true, errorType: 'OSError' },
      );
    }
    if (before.isFile()) await handle.datasync();
    return bytesWritten;
  });
}

/** Did the append that the evidence announced happen? Changes nothing. */
export async function probeAppend(evidence: JsonValue): Promise<AppendVerdict> {
  if (!isAppendEvidence(evidence))
    return { state: 'unknown', reason: 'what was noted before appending cannot be read' };
  const { path, size_before, bytes_length } = evidence;
  const start = size_before ?? 0;
  const size = (await statOrNull(path))?.size ?? null;
  if (size === null) {
    return size_before === null ? { state: 'not-done' } : { state: 'unknown', reason: `${path} is gone` };
  }
  if (size === start) return { state: 'not-done' };
  if (size < start) {
    return { state: 'unknown', reason: `${path} has shrunk from ${start} to ${size} bytes since the append began` };
  }
  if (size < start + bytes_length) {
    return {
      state: 'unknown',
      reason: `${path} has grown by ${size - start} of ${bytes_length} bytes: a part, or another writer`,
    };
  }
  const found = await readAt(path, start, bytes_length);
  return sha256(found) === evidence.sha256
    ? { state: 'done', path, bytesWritten: bytes_length }
    : { state: 'unknown', reason: `${path} was changed by another writer since the append began` };
}

async function readAt(path: string, position: number, length: number): Promise<Buffer> {
  return withHandle(await open(path, 'r'), async (handle) => {
    const buffer = Buffer.alloc(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function isAppendEvidence(value: JsonValue): value is AppendEvidence {
  return isObject(value) && typeof value.path === 'string' && typeof value.bytes_length === 'number';
}
