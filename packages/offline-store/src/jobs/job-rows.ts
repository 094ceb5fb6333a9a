/** Between the rows of a job and its record: checksums are made and verified here, nowhere else. */
import type { Selectable } from 'kysely';
import { rowChecksum } from '../database/checksum.ts';
import type { JobStatesTable, JobsTable } from '../database/schema.ts';
import { CorruptRecordError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { InDoubtPolicy, JobRecord, LeaseNote, OnLost } from './job-record.ts';
import { endOf, isFinal, type JobState, startOf, wholeDoubtOf } from './job-state.ts';

/** The constant part of a job. */
export type JobRow = Selectable<JobsTable>;
export type StateRow = Selectable<JobStatesTable>;

/** One claim of a job. */
export interface RunRef {
  readonly runId: number;
  readonly jobId: string;
  /** Empty for a job without a lease. */
  readonly leaseToken: string;
}

/** A state row as the program sees it. */
export interface RunPosition {
  readonly runId: number;
  readonly state: JobState;
  readonly lease: LeaseNote | null;
  /** Counts the changes of this row; what its high-water mark is compared with. */
  readonly revision: number;
  readonly journalSeq: number;
  /** The oldest journal entry that is kept; those before it were compacted away. */
  readonly firstSeq: number;
  /** The newest entry of kind `snapshot`, from which a journal may be read; 0 for none. */
  readonly snapshotSeq: number;
  /** The newest full checkpoint that `saveCheckpoint` wrote; 0 for none. */
  readonly checkpointSeq: number;
  readonly outboxSeq: number;
  readonly syncedAtMs: number | null;
}

export function jobRowChecksum(row: Omit<JobRow, 'run_id' | 'crc'>): number {
  return rowChecksum([
    row.job_id,
    row.lease_token,
    row.robot_id,
    row.name,
    row.workflow_json,
    row.variables,
    row.original_status,
    row.on_lost,
    row.in_doubt_policy,
    row.timeout_ms,
    row.cached_at_ms,
  ]);
}

export function toStateRow(position: RunPosition): StateRow {
  const row = {
    run_id: position.runId,
    status: position.state.status,
    state: JSON.stringify(position.state),
    lease: position.lease === null ? null : JSON.stringify(position.lease),
    revision: position.revision,
    journal_seq: position.journalSeq,
    first_seq: position.firstSeq,
    snapshot_seq: position.snapshotSeq,
    checkpoint_seq: position.checkpointSeq,
    outbox_seq: position.outboxSeq,
    synced_at_ms: position.syncedAtMs,
  };
  return { ...row, crc: stateRowChecksum(row) };
}

/** @throws CorruptRecordError */
export function toPosition(row: StateRow, jobId: string): RunPosition {
  if (stateRowChecksum(row) !== row.crc) throw new CorruptRecordError(jobId, null, 'its state fails its checksum');
  return {
    runId: row.run_id,
    state: JSON.parse(row.state) as JobState,
    lease: row.lease === null ? null : (JSON.parse(row.lease) as LeaseNote),
    revision: row.revision,
    journalSeq: row.journal_seq,
    firstSeq: row.first_seq,
    snapshotSeq: row.snapshot_seq,
    checkpointSeq: row.checkpoint_seq,
    outboxSeq: row.outbox_seq,
    syncedAtMs: row.synced_at_ms,
  };
}

/** @throws CorruptRecordError */
export function toRecord(job: JobRow, stateRow: StateRow): JobRecord {
  if (jobRowChecksum(job) !== job.crc) throw new CorruptRecordError(job.job_id, null, 'it fails its checksum');
  const { state, lease, syncedAtMs, journalSeq, outboxSeq } = toPosition(stateRow, job.job_id);
  return {
    id: job.job_id,
    leaseToken: job.lease_token === '' ? null : job.lease_token,
    robotId: job.robot_id,
    name: job.name,
    workflowJson: job.workflow_json,
    variables: JSON.parse(job.variables) as JsonObject,
    originalStatus: job.original_status,
    onLost: job.on_lost as OnLost,
    inDoubtPolicy: job.in_doubt_policy as InDoubtPolicy | null,
    timeoutMs: job.timeout_ms,
    lease,
    status: state.status,
    inDoubt: state.status === 'in_doubt' ? state.nodes : [],
    inDoubtAsWhole: wholeDoubtOf(state),
    result: isFinal(state) ? state.result : null,
    error: isFinal(state) ? state.error : null,
    cachedAtMs: job.cached_at_ms,
    startedAtMs: startOf(state),
    endedAtMs: endOf(state),
    syncedAtMs,
    journalSeq,
    outboxSeq,
  };
}

export function stateRowChecksum(row: Omit<StateRow, 'crc'>): number {
  return rowChecksum([
    row.run_id,
    row.status,
    row.state,
    row.lease,
    row.revision,
    row.journal_seq,
    row.first_seq,
    row.snapshot_seq,
    row.checkpoint_seq,
    row.outbox_seq,
    row.synced_at_ms,
  ]);
}
