/**
 * Joins the engine's journal with the outbox: what a commit says about the job also becomes the entries
 * that tell the server, in the same transaction (I3). Nothing is sent from here.
 */
import {
  type CutOffs,
  type DoubtQuestion,
  type JournalEntry,
  type JsonObject,
  type JsonValue,
  mayHaveHappened,
  type NamesCutOff,
  OpenIntents,
  ownVariables,
  type ProgressSnapshot,
  type RunError,
  type RunJournal,
  type RunOutcome,
  withHidden,
} from '@casare/execution';
import { OpenDoubts } from './open-doubts.ts';

/** `keep`: never dropped when the outbox is at its limit; what ends a job is kept in any case (I7). */
export type OutboxDraft =
  | { readonly kind: 'event'; readonly payload: JsonObject }
  | { readonly kind: 'in_doubt'; readonly payload: JsonObject; readonly keep: true }
  | { readonly kind: 'complete'; readonly payload: JsonObject }
  | { readonly kind: 'release'; readonly payload: JsonObject; readonly keep: true };

/** What a commit does to the job's status in the store. */
export type StatusChange =
  | { readonly status: 'in_progress' }
  | {
      readonly status: 'in_doubt';
      readonly nodes: readonly { readonly node_id: string; readonly reason: string }[];
    }
  | {
      readonly status: 'completed' | 'failed' | 'cancelled';
      readonly result: JsonObject | null;
      readonly error: JsonObject | null;
    }
  | { readonly status: 'released'; readonly reason: string };

/** The durable side of one job; a checkpoint handle of `@casare/offline-store` fits. */
export interface DurableJob {
  load(): Promise<readonly JournalEntry[]>;
  commit(
    entries: readonly JournalEntry[],
    options: {
      readonly outbox: readonly OutboxDraft[];
      readonly status?: StatusChange;
      /** It has happened already: a full store is to take it from its reserve. */
      readonly reserve?: boolean;
    },
  ): Promise<unknown>;
}

/** Variables past this size (characters of JSON) are left out of the result, and the result says so (I7). */
const resultLimit = 512 * 1024;
const maxMessage = 10_000;

/** Bounds what a resume has to read, open and fold (I10); a large state is written less often than that. */
export const snapshotEveryEntries = 1_000;

export interface JobJournal extends RunJournal {
  /** What waits for an answer, as far as the journal was loaded or written here. */
  readonly questions: readonly DoubtQuestion[];
  /** Nodes that have begun and not ended, likewise. */
  readonly open: OpenIntents['all'];
  /** Effects that may have happened if the job ended now, likewise. */
  readonly mayHaveHappened: CutOffs;
}

export function jobJournal(
  job: DurableJob,
  finalProgress: (outcome: RunOutcome, entries: readonly JournalEntry[]) => ProgressSnapshot | null,
  withoutSecrets: (value: JsonObject) => Promise<JsonObject> = async (value) => value,
  failureBundle: (outcome: RunOutcome) => Promise<JsonObject | null> = async () => null,
): JobJournal {
  const variables: Record<string, JsonValue> = Object.create(null) as Record<string, JsonValue>;
  const doubts = new OpenDoubts();
  const open = new OpenIntents();
  let library: string | null = null;
  const follow = (entries: readonly JournalEntry[]): void => {
    Object.assign(variables, changesOf(entries));
    library = libraryOf(entries) ?? library;
  };
  return {
    snapshotEveryEntries,
    get questions() {
      return doubts.all;
    },
    get open() {
      return open.all;
    },
    get mayHaveHappened() {
      return open.mayHaveHappened;
    },
    async load() {
      const entries = await job.load();
      follow(entries);
      doubts.follow(entries);
      open.load(entries);
      return entries;
    },
    async commit(entries) {
      const outbox = eventsOf(entries);
      const last = entries.at(-1);
      if (last?.kind !== 'outcome') {
        if (!doubts.follow(entries)) await job.commit(entries, { outbox });
        else {
          outbox.push(questionsDraft(doubts.all));
          await job.commit(entries, { outbox, status: statusWith(doubts.all, entries) });
        }
      } else {
        const result = await withoutSecrets({ ...variables, ...changesOf(entries) });
        const bundle = await failureBundle(last.outcome);
        const status = withBundle(endOf(last.outcome, result, libraryOf(entries) ?? library), bundle);
        const progress = finalProgress(last.outcome, entries);
        const commitEnd = (end: typeof status): Promise<unknown> =>
          job.commit(entries, {
            outbox: [...outbox, { kind: 'complete', payload: { ...end, progress } }],
            status: end,
          });
        try {
          await commitEnd(status);
        } catch (error) {
          const slim = isForWantOfRoom(error) ? withoutVariables(status, 'the local store had no room for them') : null;
          if (slim === null) throw error;
          await commitEnd(slim);
        }
      }
      follow(entries);
      open.follow(entries);
    },
  };
}

/** Tells the server which questions are open: those that it does not name are settled. */
export function questionsDraft(questions: readonly DoubtQuestion[]): OutboxDraft {
  const nodes = questions.map(({ answers, ...question }) => ({ ...question, answers: [...answers] }));
  return { kind: 'in_doubt', payload: { nodes }, keep: true };
}

/** That a node was under way when its job was given away: nobody here will ever tell how it ended. */
export function cutOffDraft({ node_id, step, attempt }: OpenIntents['all'][number], at: number): OutboxDraft {
  const reason = 'its job was given away, or ended, while it was under way: whether it took effect is not known';
  const payload = {
    kind: 'node_in_doubt',
    node_id,
    at: new Date(at).toISOString(),
    payload: { step, attempt, reason },
  };
  return { kind: 'event', payload };
}

/** A job goes on with what was answered while other questions are open: after a crash it has to be looked at again. */
function statusWith(questions: readonly DoubtQuestion[], entries: readonly JournalEntry[]): StatusChange {
  const asks = entries.some(({ kind }) => kind === 'in_doubt');
  if (!asks || questions.length === 0) return { status: 'in_progress' };
  return { status: 'in_doubt', nodes: questions.map(({ node_id, reason }) => ({ node_id: node_id ?? '', reason })) };
}

/** An error is for people: what is longer than they would read is cut (I7). */
function bounded(error: RunError): JsonObject {
  const { message, ...rest } = error;
  const short = message.length > maxMessage ? `${message.slice(0, maxMessage)} ... (cut)` : message;
  return { ...rest, message: short } as JsonObject;
}

/** What others may see of it: secret values are hidden in it (I8). */
function changesOf(entries: readonly JournalEntry[]): Record<string, JsonValue> {
  const changes: Record<string, JsonValue> = Object.create(null) as Record<string, JsonValue>;
  for (const entry of entries) Object.assign(changes, ownVariables(withHidden(entry, entry.secret)));
  return changes;
}

/** What entries of a journal tell the server, in their order. */
export function eventsOf(entries: readonly JournalEntry[]): OutboxDraft[] {
  return entries.flatMap(eventOf);
}

function eventOf(entry: JournalEntry): OutboxDraft[] {
  const at = new Date(entry.at).toISOString();
  const event = (kind: string, nodeId: string | null, payload: JsonObject): OutboxDraft[] => [
    { kind: 'event', payload: { kind, node_id: nodeId, at, payload } },
  ];
  switch (entry.kind) {
    case 'began':
      return event('job_started', null, {
        workflow_hash: entry.workflow_hash,
        ...(entry.library === undefined ? {} : { library: entry.library }),
      });
    case 'intent':
    case 'snapshot':
    case 'lane_dropped':
      return [];
    case 'interrupted':
      return event('node_stopped', entry.node_id, { step: entry.step });
    case 'lane_stop':
      return event('lane_stopping', entry.error.node_id, { error: bounded(entry.error) });
    case 'retry':
      return event('node_retried', entry.node_id, {
        step: entry.step,
        attempt: entry.attempt,
        error: { ...entry.error } as JsonObject,
      });
    case 'stop':
      return event('job_stopping', entry.node_id, { step: entry.step, stop: { ...entry.stop } as JsonObject });
    case 'result':
      return event('node_completed', entry.node_id, {
        step: entry.step,
        exit: entry.exit,
        duration_ms: entry.duration_ms,
        retries: entry.retries,
        ...(entry.settled === true ? { settled: true } : {}),
        ...(entry.skipped === true ? { skipped: true } : {}),
      });
    case 'failure':
      return event('node_failed', entry.node_id, {
        step: entry.step,
        error: bounded(entry.error),
        duration_ms: entry.duration_ms,
        retries: entry.retries,
      });
    case 'in_doubt':
      return event(entry.node_id === null ? 'job_in_doubt' : 'node_in_doubt', entry.node_id, {
        step: entry.step,
        attempt: entry.attempt,
        reason: entry.reason,
        ...(entry.place === undefined ? {} : { place: entry.place }),
      });
    case 'answered':
      return event('doubt_answered', entry.node_id, {
        step: entry.step,
        attempt: entry.attempt,
        ...(entry.place === undefined ? {} : { place: entry.place }),
        answer: entry.answer,
        by: entry.by,
        given_at: entry.given_at,
      });
    case 'outcome':
      return event(`job_${entry.outcome.status}`, null, { duration_ms: entry.outcome.duration_ms });
  }
}

function withBundle(end: ReturnType<typeof endOf>, bundle: JsonObject | null): ReturnType<typeof endOf> {
  return bundle === null || end.error === null ? end : { ...end, error: { ...end.error, bundle } };
}

/** What a cancelled job says of itself: why, and which effects the cancel cut off. */
function cancelledError(outcome: Extract<RunOutcome, { readonly status: 'cancelled' }>): RunError {
  const { reason } = outcome;
  const error = { code: 'CANCELLED', category: 'permanent', message: reason, node_id: null } as const;
  const names = namesIn(outcome);
  const [first] = names.may_have_happened ?? [];
  if (first === undefined) return error;
  const message = `${reason}; ${mayHaveHappened(names)}`;
  return { ...error, ...names, message, node_id: first.node_id, ambiguous: true };
}

function namesIn({ may_have_happened: named, may_have_happened_more: more }: NamesCutOff): NamesCutOff {
  return {
    ...(named === undefined ? {} : { may_have_happened: named }),
    ...(more === undefined ? {} : { may_have_happened_more: more }),
  };
}

/** Which node packages the run began with, and in which versions. */
function libraryOf(entries: readonly JournalEntry[]): string | null {
  const began = entries.find((entry) => entry.kind === 'began');
  if (began !== undefined) return began.library ?? null;
  const snapshot = entries.find((entry) => entry.kind === 'snapshot');
  return typeof snapshot?.state.library === 'string' ? snapshot.state.library : null;
}

type End = Extract<StatusChange, { readonly result: JsonObject | null }>;

function isForWantOfRoom(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return code === 'STORE_FULL' || code === 'VALUE_TOO_LARGE';
}

/** The end of a job is saved in any case, if need be without its variables (I5); null when it has none. */
function withoutVariables(end: End, why: string): End | null {
  const { result } = end;
  const { variables } = result ?? {};
  if (result === null || variables === undefined || Object.keys(variables as JsonObject).length === 0) return null;
  return { ...end, result: leftOut(result, why) };
}

function leftOut(result: JsonObject, why: string): JsonObject {
  return { ...result, variables: {}, variables_left_out: why };
}

function endOf(
  outcome: RunOutcome,
  variables: JsonObject,
  library: string | null,
): Extract<StatusChange, { readonly result: JsonObject | null }> {
  const { duration_ms, nodes_total, nodes_executed, nodes_skipped } = outcome;
  const whole: JsonObject = {
    duration_ms,
    nodes_total,
    nodes_executed,
    nodes_skipped,
    ...(library === null ? {} : { library }),
    variables,
  };
  const isTooLarge = JSON.stringify(variables).length > resultLimit;
  const result = isTooLarge ? leftOut(whole, `larger than ${resultLimit} characters`) : whole;
  switch (outcome.status) {
    case 'completed':
      return { status: 'completed', result: { ...result, ...(namesIn(outcome) as JsonObject) }, error: null };
    case 'failed':
      return { status: 'failed', result, error: bounded(outcome.error) };
    case 'cancelled':
      return {
        status: 'cancelled',
        result,
        error: { ...bounded(cancelledError(outcome)), requested_by: outcome.requested_by },
      };
  }
}
