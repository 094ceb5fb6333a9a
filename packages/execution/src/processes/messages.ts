/**
 * What the supervisor and a job process say to each other: one JSON object per frame, in order.
 *
 *   setup -> ready | unfit                                    once, when the process is new
 *   run -> (checked, load, work_dir, commit, notice)* -> finished | crashed    once per job
 *   stop                                                      at any time during a job
 *
 * `load`, `work_dir` and `commit` are questions: the process waits for the answer of the same id. The entries that hold
 * an outcome are not committed by the process: they come with `finished`, so that the supervisor can first see to it
 * that nothing of the job runs any more (I9).
 */
import type { JournalEntry } from '../engine/journal.ts';
import type { Interruption, JobTimeout, RunObserver, RunReport, StopRequest } from '../engine/run-options.ts';
import type { JobSpec } from '../jobs/job-runner.ts';
import type { ProgressShapeData } from '../jobs/progress-shape.ts';
import type { JsonObject } from '../json.ts';
import type { LogLevel } from '../ports.ts';

/** How a run is taken up again after its process ended. */
export interface Resumption {
  readonly interruption?: Interruption;
  /** Why the run has to stop, from its start on. */
  readonly stop?: StopRequest | JobTimeout;
  /** How long finally bodies may still take, in ms. Default: the whole grace. */
  readonly finallyGraceMs?: number;
}

export type SupervisorMessage =
  | { readonly type: 'setup'; readonly setup: JsonObject }
  | {
      readonly type: 'run';
      readonly job: JobSpec;
      readonly resumption: Resumption;
      readonly limits: RunLimits;
      readonly snapshotEveryEntries: number | null;
    }
  | { readonly type: 'stop'; readonly request: StopRequest | JobTimeout }
  | Answer;

/** For jobs and nodes without limits of their own, in ms. */
export interface RunLimits {
  readonly nodeTimeoutMs: number;
  readonly jobTimeoutMs: number | null;
  readonly cancelGraceMs: number;
  readonly inDoubtPolicy: 'retry' | 'skip' | 'fail' | 'ask';
}

export type Answer =
  /** A part of a long answer; more follow. */
  | { readonly type: 'part'; readonly id: number; readonly value: readonly JournalEntry[] }
  /**
   * To `commit`: by when the nodes that it begins must have begun, in ms since the machine booted; null: no matter when.
   */
  | { readonly type: 'answer'; readonly id: number; readonly value: readonly JournalEntry[] | string | number | null }
  | { readonly type: 'refusal'; readonly id: number; readonly message: string };

export type Question =
  | { readonly type: 'load'; readonly id: number }
  | { readonly type: 'work_dir'; readonly id: number }
  | { readonly type: 'commit'; readonly id: number; readonly entries: readonly JournalEntry[] };

/** One call of the run's observer. */
export type Notice = {
  [Name in keyof RunObserver]-?: {
    readonly type: 'notice';
    readonly name: Name;
    readonly notice: Parameters<NonNullable<RunObserver[Name]>>[0];
  };
}[keyof RunObserver];

export interface FinishedMessage {
  readonly type: 'finished';
  readonly report: RunReport;
  /** The entries that end the run, still to be committed; empty when there are none. */
  readonly held: readonly JournalEntry[];
  /** What is to be told once they are. */
  readonly notices: readonly Notice[];
  /** What the job left running in the process: kinds of timers, sockets and so on. */
  readonly leftovers: readonly string[];
  readonly rssBytes: number;
}

export type ProcessMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'unfit'; readonly message: string }
  /** Says that the process's main thread answers. */
  | { readonly type: 'alive'; readonly rssBytes: number }
  /** The workflow passed the check. */
  | { readonly type: 'checked'; readonly shape: ProgressShapeData }
  | Question
  | Notice
  /** The engine's own remarks. */
  | {
      readonly type: 'remark';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: JsonObject | null;
    }
  /** A commit that is larger than a frame may be; it was not made. */
  | { readonly type: 'too_large'; readonly bytes: number; readonly limitBytes: number }
  | FinishedMessage
  /** An error that nobody caught ends the process. */
  | { readonly type: 'dying'; readonly message: string }
  /** The runner itself failed: a defect, not a failure of the job. */
  | { readonly type: 'crashed'; readonly message: string };

/** Names the process and all that it starts, in their environment. */
export const markVariable = 'CASARE_JOB_PROCESS';
/** Names the job, in the environment of all that its nodes start. */
export const jobVariable = 'CASARE_JOB_ID';
/** Node.js's own: where it keeps compiled code. Meant for the process alone, not for what it starts. */
export const compileCacheVariable = 'NODE_COMPILE_CACHE';
/** The frames of this protocol. */
export const channelFd = 3;
/** Carries deadlines, see `process-deadline.ts`; its end says that the supervisor is gone. */
export const lifelineFd = 4;
