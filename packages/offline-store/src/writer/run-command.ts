/** What each command does. Synchronous, inside a transaction; memory is changed by `committed` only. */
import { StoreError } from '../errors.ts';
import type { RunRef } from '../jobs/job-rows.ts';
import { doubtAsWhole, isFinal, isOver, wholeDoubtOf } from '../jobs/job-state.ts';
import { overError } from '../jobs/refusals.ts';
import type { CheckpointLog } from '../journal/checkpoint-log.ts';
import type { RunLog } from '../journal/run-log.ts';
import { recordIncident } from '../rescue/incidents.ts';
import type { RecordCommand, RunTarget, StoreCommand } from './commands.ts';
import type { StoreTables } from './store-tables.ts';

export interface WriterParts {
  readonly tables: StoreTables;
  readonly runLog: RunLog;
  readonly checkpoints: CheckpointLog;
  /** Called after a claim was removed for good. */
  readonly onRemoved?: (runId: number) => void;
}

/** What a command came to, which is its answer once the transaction has been committed. */
export interface CommandResult {
  readonly ok: true;
  readonly value: unknown;
  /** Called once the transaction has been committed. */
  readonly committed?: () => void;
}

export const noValue: CommandResult = { ok: true, value: undefined };

export function runCommand(parts: WriterParts, command: StoreCommand): CommandResult {
  if (command.op === 'record') return record(parts, command);
  const { tables, runLog, checkpoints } = parts;
  const { jobs, outbox, intake, deadLetters, counters, box } = tables;
  if (needsSettled(command.op)) runLog.settle();
  switch (command.op) {
    case 'settle':
      return noValue;
    case 'outbox-fill':
      return { ok: true, value: intake.fill(command.sparing) };
    case 'cache':
      return { ok: true, value: jobs.cache(command.job, command.robotId, command.nowMs) };
    case 'checkpoint': {
      const committed = checkpoints.save(claimOf(parts, command.run), command.checkpoint, command.nowMs);
      return { ...noValue, committed };
    }
    case 'renew-lease': {
      const run = jobs.find(command.jobId, command.leaseToken);
      const position = jobs.position(run);
      if (isOver(position.state)) throw overError(run, position.state);
      jobs.saveLease(position, command.lease);
      return noValue;
    }
    case 'mark-synced':
      markSynced(parts, command.jobId, command.leaseToken, command.nowMs);
      return noValue;
    case 'lose-steps':
      loseSteps(parts, command);
      return noValue;
    case 'outbox-remove':
      return { ok: true, value: outbox.remove(command.ids) };
    case 'outbox-fail':
      return { ok: true, value: outbox.countFailure(command.id, command.reason, command.nowMs) };
    case 'outbox-bury': {
      const { ids, disposition, reason, nowMs } = command;
      return { ok: true, value: ids.filter((id) => outbox.bury(id, disposition, reason, nowMs)).length };
    }
    case 'dead-requeue':
      return { ok: true, value: command.ids.filter((id) => outbox.requeue(id)).length };
    case 'dead-discard': {
      const removed = command.ids.reduce((sum, id) => sum + deadLetters.remove(id), 0);
      counters.add('outbox_discarded', removed);
      return { ok: true, value: removed };
    }
    case 'remove-entries':
      return { ok: true, value: removeEntries(parts, command.runId, command.limit) };
    case 'remove-run':
      removeRun(parts, command.runId);
      return {
        ...noValue,
        committed: () => {
          checkpoints.forget(command.runId);
          runLog.forget();
          parts.onRemoved?.(command.runId);
        },
      };
    case 'remove-notes': {
      const removed = deadLetters.removeBefore(command.deadBeforeMs);
      counters.add('dead_letters_cleaned', removed);
      const incidents = tables.db.prepare('DELETE FROM incidents WHERE at_ms < ?').run(command.incidentsBeforeMs);
      return { ok: true, value: { deadLetters: removed, incidents: incidents.changes } };
    }
    case 'use-keys':
      return { ...noValue, committed: () => box.use(command.keys) };
  }
}

function record(parts: WriterParts, { run, write, nowMs }: RecordCommand): CommandResult {
  const { runId, state } = parts.runLog.write(claimOf(parts, run), write, nowMs);
  return isOver(state) ? { ...noValue, committed: () => parts.checkpoints.forget(runId) } : noValue;
}

/** What looks at the jobs' own rows, or at the journal's index. */
function needsSettled(op: StoreCommand['op']): boolean {
  return op !== 'checkpoint' && !op.startsWith('outbox-') && !op.startsWith('dead-');
}

function claimOf({ tables }: WriterParts, target: RunTarget): RunRef {
  return 'runId' in target ? target : tables.jobs.find(target.jobId);
}

function markSynced({ tables }: WriterParts, jobId: string, leaseToken: string | undefined, nowMs: number): void {
  const { jobs } = tables;
  const candidates = leaseToken === undefined ? jobs.runsOf(jobId) : [jobs.find(jobId, leaseToken)];
  if (candidates.length === 0) jobs.find(jobId);
  for (const run of candidates) {
    const position = jobs.position(run);
    if (!isFinal(position.state)) continue;
    if (position.syncedAtMs === null) jobs.save(run, { ...position, syncedAtMs: nowMs });
    return;
  }
  throw new StoreError('JOB_NOT_FINAL', `Job ${jobId} has not ended; there is nothing to sync.`);
}

function loseSteps({ tables }: WriterParts, command: Extract<StoreCommand, { readonly op: 'lose-steps' }>): void {
  const { jobId, leaseToken, reason, outboxSeq, nowMs } = command;
  const run = tables.jobs.find(jobId, leaseToken);
  const position = tables.jobs.position(run);
  if (isOver(position.state) || wholeDoubtOf(position.state) !== null) throw overError(run, position.state);
  const state = doubtAsWhole(position.state, reason, nowMs);
  tables.jobs.save(run, { ...position, state, outboxSeq: Math.max(position.outboxSeq, outboxSeq) });
  recordIncident(tables.db, { kind: 'job-in-doubt', atMs: nowMs, jobId, leaseToken, detail: reason });
}

function removeEntries({ tables: { journal, intake } }: WriterParts, runId: number, limit: number): number {
  const last = journal.oldest(runId, limit);
  return last === null ? 0 : intake.removeTo(runId, last);
}

function removeRun({ tables }: WriterParts, runId: number): void {
  for (const table of ['executed', 'journal_index', 'job_states', 'jobs']) {
    tables.db.prepare(`DELETE FROM ${table} WHERE run_id = ?`).run(runId);
  }
  tables.counters.add('jobs_cleaned', 1);
}
