/**
 * How much of a run is made durable, and when. Whatever the settings: an effect's intent is on disk before
 * the effect starts, its result before the next node, and the outcome always (I3).
 *
 * `onEveryNode: false` lets the results of pure and idempotent nodes wait for the next effect; after a
 * crash those nodes run again. `enabled: false` keeps intents of effects and outcomes only: an interrupted
 * job cannot be resumed and ends as failed, naming the effect that was under way.
 */
import type { BeganEntry, JournalEntry, RunError } from '@casare/execution';
import type { DurableJob, OutboxDraft } from './job-journal.ts';

export interface CheckpointPolicy {
  readonly enabled: boolean;
  readonly onEveryNode: boolean;
}

/** What waits is written at the latest after so many entries (I7). */
const maxWaiting = 1_000;

/** How such a run is told from one that can be resumed, whatever the settings are by then. */
interface UnresumableBegan extends BeganEntry {
  readonly resumable: false;
}

export function withCheckpointPolicy<Job extends DurableJob>(job: Job, policy: CheckpointPolicy): Job {
  if (policy.enabled && policy.onEveryNode) return job;
  const effectSteps = new Set<number>();
  let waiting: JournalEntry[] = [];
  let waitingOutbox: OutboxDraft[] = [];
  return {
    ...job,
    async commit(entries, options) {
      for (const entry of entries) if (isEffectIntent(entry)) effectSteps.add(entry.step);
      waiting.push(...(policy.enabled ? entries : entries.flatMap(withoutCheckpoints)));
      waitingOutbox.push(...options.outbox);
      const canWait = options.status === undefined && entries.every((entry) => mayWait(entry, effectSteps));
      if (canWait && waiting.length + waitingOutbox.length < maxWaiting) return;
      const written = waiting;
      const outbox = waitingOutbox;
      waiting = [];
      waitingOutbox = [];
      await job.commit(written, { ...options, outbox });
      for (const entry of entries)
        if (entry.kind === 'result' || entry.kind === 'failure') effectSteps.delete(entry.step);
    },
  };
}

/** Why a run that was begun cannot be gone on with; null when it can. */
export function interruptionOf(entries: readonly JournalEntry[]): RunError | null {
  const began = entries.find((entry) => entry.kind === 'began');
  if (began === undefined || !('resumable' in began) || entries.some((entry) => entry.kind === 'outcome')) return null;
  const effect = entries.findLast(isEffectIntent);
  const node =
    effect === undefined ? 'no node with an effect had begun' : `the last effect begun is node ${effect.node_id}`;
  return {
    code: 'INTERRUPTED',
    category: 'permanent',
    message: `the robot stopped while the job ran, and checkpoints are off, so the job cannot go on; ${node}`,
    node_id: effect?.node_id ?? null,
  };
}

function mayWait(entry: JournalEntry, effectSteps: ReadonlySet<number>): boolean {
  switch (entry.kind) {
    case 'intent':
      return entry.effect !== 'effect';
    case 'result':
      return !effectSteps.has(entry.step);
    case 'snapshot':
      return true;
    default:
      return false;
  }
}

function withoutCheckpoints(entry: JournalEntry): JournalEntry[] {
  switch (entry.kind) {
    case 'began': {
      const began: UnresumableBegan = { ...entry, resumable: false };
      return [began];
    }
    case 'intent':
      return isEffectIntent(entry) ? [entry] : [];
    case 'in_doubt':
    case 'answered':
    case 'stop':
    case 'outcome':
      return [entry];
    default:
      return [];
  }
}

function isEffectIntent(entry: JournalEntry): entry is Extract<JournalEntry, { kind: 'intent' }> {
  return entry.kind === 'intent' && entry.effect === 'effect';
}
