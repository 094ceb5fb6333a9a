/**
 * The id of the next claim request, kept on disk so that a claim whose answer got lost (to the network,
 * or to a crash before the jobs were stored) is asked for again under the same id and recovered (I6).
 * A new id is drawn only after the claimed jobs are in the local store.
 */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readJson, writeJsonDurably } from './home-folder.ts';
import { uuidPattern } from './identity.ts';

export interface ClaimRequestId {
  readonly current: string;
  rotate(): Promise<void>;
  /** Nothing was claimed under it that is not stored: the next start begins with a new one, also in a copy of the home. */
  retire(): Promise<void>;
}

/** A file that holds no request id is replaced: what it may have claimed shows as lost and can be resolved. */
export async function loadClaimRequest(home: string): Promise<ClaimRequestId> {
  const path = join(home, 'claim-request.json');
  const stored = (await readJson(path).catch(nullIfNoJson)) as { request_id?: unknown } | null | undefined;
  const storedId = stored?.request_id;
  let current = randomUUID() as string;
  if (typeof storedId === 'string' && uuidPattern.test(storedId)) current = storedId;
  else await writeJsonDurably(path, { request_id: current });
  return {
    get current() {
      return current;
    },
    async rotate() {
      const next = randomUUID();
      await writeJsonDurably(path, { request_id: next });
      current = next;
    },
    retire: () => rm(path, { force: true }),
  };
}

function nullIfNoJson(error: unknown): null {
  if ((error as Error).cause instanceof SyntaxError) return null;
  throw error;
}
