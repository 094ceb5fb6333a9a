/** What the server refused for good, or kept as evidence only, for whoever looks after the robot. */
import { ArgumentError, type JsonObject, type JsonValue } from '@casare/execution';
import type { DeadLetter, Outbox } from '@casare/offline-store';
import { messageOf } from '../message-of.ts';
import { type Requester, requesterIn } from '../requester.ts';
import type { ControlCommands } from './control-server.ts';

export type DeadLetters = Pick<Outbox, 'deadLetters' | 'requeue' | 'discard'>;

/** What was done about dead letters, for the audit log. */
export interface OutboxChange {
  readonly kind: 'requeued' | 'discarded';
  readonly requester: Requester;
  /** How many there were done. */
  readonly count: number;
  /** Those that were named, and were there: at most 50. */
  readonly entries: readonly {
    readonly id: number;
    readonly jobId: string;
    readonly seq: number;
    readonly kind: string;
  }[];
  /** Numbers that were named, and of which there was none: at most 50. */
  readonly unknown: readonly number[];
  /** Why it could not be done; null when it was. */
  readonly problem: string | null;
}

export interface OutboxControlOptions {
  /** The outbox may have something new. */
  readonly onRequeued: () => void;
  readonly record: (change: OutboxChange) => void;
}

/** One answer must fit a line of the socket. */
const maxListed = 1_000;
const maxReason = 500;
/** Named in one audit entry (I7). */
const maxRecorded = 50;
const everything = 100_000;

export function outboxCommands(outbox: DeadLetters, { onRequeued, record }: OutboxControlOptions): ControlCommands {
  /** `all` leaves alone what is kept as evidence only. */
  const chosen = async (args: JsonObject): Promise<{ letters: readonly DeadLetter[]; unknown: readonly number[] }> => {
    if (args.all === true) return { letters: await outbox.deadLetters({ limit: everything }), unknown: [] };
    const ids = new Set(idsOf(args.ids));
    const dispositions = ['dead', 'damaged', 'superseded'] as const;
    const letters = (await outbox.deadLetters({ limit: everything, dispositions })).filter(({ id }) => ids.has(id));
    for (const { id } of letters) ids.delete(id);
    return { letters, unknown: [...ids] };
  };
  const change = async (kind: OutboxChange['kind'], args: JsonObject): Promise<JsonObject> => {
    const requester = requesterIn(args);
    const { letters, unknown } = await chosen(args);
    const about = {
      kind,
      requester,
      entries: letters.slice(0, maxRecorded).map(({ id, jobId, seq, kind: of }) => ({ id, jobId, seq, kind: of })),
      unknown: unknown.slice(0, maxRecorded),
    };
    const ids = letters.map(({ id }) => id);
    try {
      const count = kind === 'requeued' ? await outbox.requeue(ids) : await outbox.discard(ids);
      record({ ...about, count, problem: null });
      return { [kind]: count, unknown: [...unknown] };
    } catch (error) {
      record({ ...about, count: 0, problem: messageOf(error) });
      throw error;
    }
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
        const answer = await change('requeued', args);
        if (Number(answer.requeued) > 0) onRequeued();
        return answer;
      },
    ],
    ['outbox_discard', (args) => change('discarded', args)],
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
