/** A desk with all that is around it, moved by the test. */
import {
  CancellationChecker,
  type ClaimedJob,
  type DoubtAnswer,
  type InDoubtPolicy,
  JobExecutor,
  JobLocker,
  type JobSpec,
  type JournalEntry,
  type Lease,
  type LeaseAnswer,
  type RunEnd,
  type RunReport,
  type StopRequest,
} from '@casare/execution';
import { ManualClock } from '@casare/testing';
import type { JobStore, StoredJob } from '../../src/desk-ports.ts';
import { JobDesk } from '../../src/job-desk.ts';
import type { OutboxDraft, StatusChange } from '../../src/job-journal.ts';

export const statistics = { duration_ms: 0, nodes_total: 0, nodes_executed: 0, nodes_skipped: 0 };
export const completed: RunEnd = { status: 'completed', ...statistics };

export function claim(jobId: string, changes: Partial<ClaimedJob> = {}): ClaimedJob {
  return {
    jobId,
    leaseToken: '7',
    name: jobId,
    workflow: '{}',
    variables: {},
    attempt: 1,
    maxAttempts: 1,
    timeoutMs: null,
    onLost: 'hold',
    inDoubtPolicy: null,
    leaseMs: 300_000,
    cancelRequested: false,
    ...changes,
  };
}

export function stored(jobId: string, changes: Partial<StoredJob> = {}): StoredJob {
  return {
    jobId,
    leaseToken: '7',
    name: jobId,
    workflowJson: '{}',
    variables: {},
    onLost: 'hold',
    inDoubtPolicy: null,
    timeoutMs: null,
    state: 'in_progress',
    lostRecord: null,
    leaseRemainingMs: 300_000,
    ...changes,
  };
}

/** The desk takes it for a workflow of four nodes. */
export const shapedWorkflow = '{"four": true}';
const fourNodes = { totalNodes: 4, typeOf: () => 'unknown', loopsAround: () => [], bodyOf: () => new Set<string>() };

/**
 * A desk with a real executor, locker and checker. The test is the server (`server.answer`), the runner (`finish`) and
 * the disk (`disk.isFull`).
 */
export interface DeskSetup {
  readonly limit?: number;
  readonly maxQueuedJobs?: number;
  readonly unfinished?: readonly StoredJob[];
  /** Claims that an earlier process has ended, and not told. */
  readonly untold?: readonly (Lease & Pick<StoredJob, 'leaseRemainingMs'>)[];
  readonly inDoubtPolicy?: InDoubtPolicy;
  /** Default: one in memory, see `unfinished` and `recorded`. */
  readonly store?: JobStore;
  /** Default: no claim ever is. */
  readonly claimUnderWay?: () => Promise<void> | null;
  /** What was recorded of the job `a`; an error is why that cannot be read. */
  readonly recorded?: readonly JournalEntry[] | Error;
  /** Default: jobs of an earlier process wait for nothing. */
  readonly withoutServer?: () => 'wait' | 'go' | 'stay';
}

export async function deskWith(options: DeskSetup = {}) {
  const clock = new ManualClock();
  const runs = new Map<
    string,
    {
      signal: AbortSignal;
      commit(...entries: JournalEntry[]): Promise<void>;
      end(end: RunEnd): void;
      /** Its node takes its time when it is told to stop. */
      ignoresStop(): void;
    }
  >();
  const statuses: [string, StatusChange['status'], unknown][] = [];
  const { recorded = [] } = options;
  const journals = new Map<string, JournalEntry[]>([['a', recorded instanceof Error ? [] : [...recorded]]]);
  const sent: OutboxDraft[] = [];
  const given: (readonly DoubtAnswer[])[] = [];
  const told: string[] = [];
  const started: string[] = [];
  const server = { isDown: false, answer: (_jobId: string): Partial<LeaseAnswer> => ({}) };
  const disk = { isFull: false, add: Promise.resolve() };
  const locker = new JobLocker({
    robotId: 'r',
    clock,
    gateway: {
      claimJob: async () => null,
      claimJobs: async () => [],
      heartbeatJobs: async (_robot, leases) => {
        if (server.isDown) throw new Error('offline');
        return leases.map(({ jobId, leaseToken }) => ({
          jobId,
          leaseToken,
          outcome: 'ok',
          cancelReason: null,
          cancelRequestedBy: null,
          answers: [],
          ...server.answer(jobId),
        }));
      },
      robotTurn: async () => ({ leases: [], claims: [], fleetSize: null }),
      completeJob: async () => 'ok',
      releaseJob: async () => 'ok',
    },
  });
  const checker = new CancellationChecker({ leases: locker, checkIntervalMs: 1_000, clock });
  const desk = new JobDesk({
    store: options.store ?? {
      add: () => disk.add,
      renewLease: async () => undefined,
      noteLost: async ({ jobId }) => void told.push(`noted as lost ${jobId}`),
      unfinished: async () => options.unfinished ?? [],
      untold: async () => options.untold ?? [],
      progressOf: async () => ({ lastSeq: 0, recorded: 0 }),
      loseSteps: async ({ jobId }, { why }) => void told.push(`steps lost ${jobId}: ${why}`),
      supersede: async (jobId) => void told.push(`superseded ${jobId}`),
      open: (jobId) => ({
        load: async () => {
          if (recorded instanceof Error) throw recorded;
          return journals.get(jobId) ?? [];
        },
        commit: async (entries, { status, outbox }) => {
          if (disk.isFull) throw new Error('the disk is full');
          if (recorded instanceof Error && entries.length > 0) throw recorded;
          sent.push(...outbox);
          journals.set(jobId, [...(journals.get(jobId) ?? []), ...entries]);
          if (status !== undefined) statuses.push([jobId, status.status, 'error' in status ? status.error : null]);
        },
        close: () => undefined,
      }),
    },
    locker,
    checker,
    ...(options.withoutServer === undefined ? {} : { withoutServer: options.withoutServer }),
    inDoubtPolicy: options.inDoubtPolicy ?? 'ask',
    reporter: null,
    telemetry: {
      metricsFor: () => null,
      auditFor: () => null,
      received: () => undefined,
      resumed: () => undefined,
      leaseLost: (jobId) => void told.push(`lost ${jobId}`),
      released: (jobId, reason) => void told.push(`released ${jobId}: ${reason}`),
      cancelRequested: (jobId, by, reason) => void told.push(`cancel ${jobId} by ${by}: ${reason}`),
      answered: (jobId, { answer, by }) => void told.push(`answered ${jobId}: ${answer} by ${by}`),
      ended: ({ jobId }, end) => void told.push(`ended ${jobId}: ${end.status}`),
      stepsLost: () => undefined,
    },
    checkpoints: { enabled: true, onEveryNode: true },
    logger: { log: () => undefined },
    clock,
    onOutbox: () => undefined,
    shapeOf: (workflowJson) => (workflowJson === shapedWorkflow ? fourNodes : null),
    claimUnderWay: options.claimUnderWay ?? (() => null),
  });
  const executor = new JobExecutor({
    runner: {
      run: (job: JobSpec, signal: AbortSignal) => {
        const journal = desk.journalFor(job);
        given.push(job.answers ?? []);
        started.push(job.jobId);
        return new Promise<RunReport>((resolve) => {
          const end = async (how: RunEnd): Promise<void> => {
            if (!runs.delete(job.jobId)) return;
            if (how.status === 'completed' || how.status === 'failed' || how.status === 'cancelled')
              await journal.commit([{ kind: 'outcome', outcome: how, at: 0 }]);
            resolve({ end: how, variables: {}, outputs: {}, skipped: [], errors: [] });
          };
          const stop = (): void => {
            const { kind, reason, requestedBy = null } = signal.reason as StopRequest;
            void end(
              kind === 'cancel'
                ? { status: 'cancelled', reason, requested_by: requestedBy, ...statistics }
                : { status: 'suspended', cause: 'asked', reason, ...statistics },
            );
          };
          runs.set(job.jobId, {
            signal,
            commit: async (...entries) => {
              await journal.load();
              await journal.commit(entries);
            },
            end: (how) => void end(how),
            ignoresStop: () => signal.removeEventListener('abort', stop),
          });
          if (signal.aborted) stop();
          else signal.addEventListener('abort', stop);
        });
      },
    },
    maxConcurrentJobs: options.limit ?? 2,
    maxQueuedJobs: options.maxQueuedJobs ?? 10,
    onJobComplete: (end) => desk.onJobComplete(end),
    clock,
  });
  desk.attach(executor);
  await executor.start();
  const kinds = (jobId: string): string[] => (journals.get(jobId) ?? []).map(({ kind }) => kind);
  return { clock, desk, executor, checker, locker, runs, started, statuses, told, server, disk, sent, given, kinds };
}
