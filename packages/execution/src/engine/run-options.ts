/** What a run takes, what it reports while it goes on, and what it hands back. */
import type { AccessPolicy } from '../access/access-policy.ts';
import type { ErrorCategory, RunError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { NodeRegistry } from '../model/registry.ts';
import type { Workflow } from '../model/workflow.ts';
import type { ClassifyError, Clock, Logger, LogLevel, RunJournal } from '../ports.ts';
import type { DoubtAnswer } from './doubt.ts';
import type { RunEnd } from './journal.ts';
import type { ResourceLimits } from './resources.ts';
import type { FailureEvidence } from './run-evidence.ts';
import type { SecretPath } from './secrecy/secret-path.ts';

/** What to do with an effect that may or may not have happened (I4). */
export type InDoubtPolicy = 'retry' | 'skip' | 'fail' | 'ask';

export interface RunOptions {
  readonly jobId: string;
  /** A workflow that passed the check with this registry. */
  readonly workflow: Workflow;
  readonly registry: NodeRegistry;
  /** Initial values that win over the workflow's own. A resumed run keeps those it began with. */
  readonly variables?: JsonObject;
  /** What it holds decides whether the run begins, goes on, or is already over. */
  readonly journal: RunJournal;
  readonly clock: Clock;
  /** For the engine's own remarks; what nodes log goes to `observer.log`. */
  readonly logger: Logger;
  readonly observer?: RunObserver;
  /** Looks at the run where a node fails, before anything of it is closed. */
  readonly evidence?: FailureEvidence;
  /** Stops the run; see `StopRequest`. */
  readonly signal?: AbortSignal;
  /** Absolute folder that relative paths of the workflow mean. */
  readonly workDir: string;
  /** Rules for foreign errors; errors that carry a code and a category keep them. */
  readonly classifyError?: ClassifyError;
  /** For nodes whose config has no `in_doubt` of its own. */
  readonly inDoubtPolicy: InDoubtPolicy;
  /** What operators have answered to questions of this run; answers to none that is open are ignored. */
  readonly answers?: readonly DoubtAnswer[];
  /** Limit of a node whose workflow sets none, in ms. */
  readonly nodeTimeoutMs: number;
  /** Limit of the time spent in nodes, over all resumes, in ms. Default: none. */
  readonly jobTimeoutMs?: number | null;
  readonly secrets?: SecretSource;
  /**
   * Takes secret values out of texts that leave the run: errors, log lines and notices (I8), besides those that the run
   * itself has resolved or derived. Outputs and variables are the workflow's own and stay as they are; journal entries and
   * the report say which parts of them are secret.
   */
  readonly redact?: (text: string) => string;
  /** How many live objects the run's nodes may hold. Default: no limit. */
  readonly limits?: ResourceLimits;
  /** What nodes may touch. Default: files of the work folder, public hosts, no programs; see `createAccessPolicy`. */
  readonly access?: AccessPolicy;
  /** Names the node library; a run that began with another one is in doubt as a whole. */
  readonly library?: string;
  /** How long finally bodies may run after a cancel or the job's time limit, in ms. Default 10,000. */
  readonly finallyGraceMs?: number;
  /** How long an aborted node may take to end, in ms. Default 5,000. */
  readonly abortGraceMs?: number;
  /** What ended the process in which the run was under way, when this resumes it in another one. */
  readonly interruption?: Interruption;
}

/** The end of a run's process, as far as the node that it hit is concerned. Plain data. */
export interface Interruption {
  /** The step of the node that was under way; null: none was, and the next node is meant. */
  readonly step: number | null;
  /**
   * `explain`: the node is settled as after any crash, and a doubt that remains says why there is one. `fail`: the node
   * fails with this error, as if its attempt had: try regions, retries of its own and finally bodies have their say.
   */
  readonly treatment: 'explain' | 'fail';
  readonly error: {
    readonly code: string;
    readonly category: ErrorCategory;
    /** A sentence. */
    readonly message: string;
    readonly errorType: string;
    readonly details: JsonObject;
  };
}

/** Where `{{$secret:id}}` is looked up. */
export interface SecretSource {
  /** Undefined when there is no such secret. */
  get(id: string): Promise<string | undefined>;
  /** Words that end the sentence "It was looked for in ...". */
  describe?(id: string): string;
}

/**
 * The reason to abort `RunOptions.signal` with, as a `JobTimeout` is; anything else counts as a cancel without a reason.
 *
 * `cancel`: the node is aborted, finally bodies run, the run ends as cancelled. `suspend`: the run stops
 * behind the current node (which is aborted if it may be repeated) and can be resumed.
 */
export interface StopRequest {
  readonly kind: 'cancel' | 'suspend';
  readonly reason: string;
  readonly requestedBy?: string | null;
  /**
   * Of `suspend`: how long an effect that is under way may take to finish, in ms. Then it is aborted, and where the job
   * has a process of its own, killed; whether it happened is in doubt. Default: as long as it takes.
   */
  readonly withinMs?: number;
}

/** The reason to abort `RunOptions.signal` with when somebody else has seen that the job's time is over. */
export interface JobTimeout {
  readonly kind: 'job_timeout';
  readonly limitMs: number;
}

export interface NodeNotice {
  readonly node_id: string;
  readonly node_type: string;
  readonly step: number;
}

export interface NodeEndNotice extends NodeNotice {
  readonly duration_ms: number;
  readonly retries: number;
}

/** Listens to a run. A listener that throws is logged once and otherwise ignored; none can change the run. */
export interface RunObserver {
  /** `remaining_ms`: what is left of the job's time limit; null when it has none. */
  runStarted?(notice: {
    readonly job_id: string;
    readonly total: number;
    readonly resumed: boolean;
    readonly remaining_ms: number | null;
  }): void;
  /** `limit_ms`: the time limit of this attempt; null when it has none. */
  nodeStarted?(
    notice: NodeNotice & { readonly total: number; readonly attempt: number; readonly limit_ms: number | null },
  ): void;
  /** After the result is durable. `skipped`: who or what passed over the node, which did not run; absent when it did. */
  nodeFinished?(notice: NodeEndNotice & { readonly exit: string | null; readonly skipped?: string }): void;
  /** After the failure is durable. */
  nodeFailed?(notice: NodeEndNotice & { readonly error: RunError }): void;
  log?(line: {
    readonly level: LogLevel;
    readonly node_id: string | null;
    readonly message: string;
    readonly fields?: JsonObject;
  }): void;
  runEnded?(end: RunEnd): void;
}

export interface RunReport {
  readonly end: RunEnd;
  readonly variables: JsonObject;
  /** The newest outputs of each node. */
  readonly outputs: Readonly<Record<string, JsonObject>>;
  /** The parts of `variables` and `outputs` that are secret: `['variables', 'token']`; see `withHidden`. Absent: none. */
  readonly secret?: readonly SecretPath[];
  /** Nodes that did not run: never reached, or passed over (see `passedOver`), in file order. */
  readonly skipped: readonly string[];
  /** Those of `skipped` that were reached and passed over, by an answer or a policy. Absent: none. */
  readonly passedOver?: readonly string[];
  /** Errors that no catch took, oldest first; at most the newest 100. */
  readonly errors: readonly RunError[];
}
