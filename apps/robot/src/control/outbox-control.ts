/** What the server refused for good, or kept as evidence only, for whoever looks after the robot. */
import { ArgumentError, type JsonObject, type JsonValue } from '@casare/execution';
import type { DeadLetter, Outbox } from '@casare/offline-store';
import type { ControlCommands } from './control-server.ts';

export type DeadLetters = Pick<Outbox, 'deadLetters' | 'requeue' | 'discard'>;

/** One answer must fit a line of the socket. */
const maxListed = 1_000;
const maxReason = 500;

/** @param onRequeued the outbox may have something new */
export function outboxCommands(outbox: DeadLetters, onRequeued: () => void): ControlCommands {
  const chosen = async ({ ids, all = false }: JsonObject): Promise<readonly number[]> => {
    if (all !== true) return idsOf(ids);
    return (await outbox.deadLetters({ limit: 100_000 })).map(({ id }) => id);
  };
  const unknown = async ({ ids, all }: JsonObject): Promise<number[]> => {
    if (all === true) return [];
    const dispositions = ['dead', 'damaged', 'superseded'] as const;
    const known = new Set((await outbox.deadLetters({ limit: 100_000, dispositions })).map(({ id }) => id));
    return [...new Set(idsOf(ids))].filter((id) => !known.has(id));
  };
  return new Map<string, (args: JsonObject) => JsonValue | Promise<JsonValue>>([
    [
      'outbox_list',
      async ({ superseded = false }) => {
        const dispositions =
          superseded === true ? (['dead', 'damaged', 'superseded'] as const) : (['dead', 'damaged'] as const);
        return (await outbox.deadLetters({ limit: maxListed, dispositions })).map(entryJson);
      },
    ],
    [
      'outbox_requeue',
      async (args) => {
        const none = await unknown(args);
        const requeued = await outbox.requeue(await chosen(args));
        if (requeued > 0) onRequeued();
        return { requeued, unknown: none };
      },
    ],
    [
      'outbox_discard',
      async (args) => {
        const none = await unknown(args);
        return { discarded: await outbox.discard(await chosen(args)), unknown: none };
      },
    ],
  ]);
}

function idsOf(ids: JsonValue | undefined): readonly number[] {
  const isList = Array.isArray(ids) && ids.length > 0 && ids.every((id) => Number.isSafeInteger(id));
  if (!isList) throw new ArgumentError('ids', 'a list of the numbers of entries', ids);
  return ids as readonly number[];
}

function entryJson(entry: DeadLetter): JsonObject {
  const { id, jobId, seq, kind, attempts, disposition, reason, recordedAtMs, deadAtMs } = entry;
  return {
    id,
    job_id: jobId,
    seq,
    kind,
    attempts,
    disposition,
    reason: reason.slice(0, maxReason),
    recorded_at: new Date(recordedAtMs).toISOString(),
    dead_at: new Date(deadAtMs).toISOString(),
  };
}
