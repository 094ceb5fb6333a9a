/**
 * The journal of a run: what happened, in order. The state of a run is a pure fold over these entries,
 * so resuming means folding them again (I3, I10: an entry holds what one step changed, nothing else).
 *
 * An entry of a step names its `lane`; without one it is about the root lane. Entries of several lanes stand in
 * the order in which they happened.
 */
import type { ControlOp } from '../control/control-op.ts';
import type { RunError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { EffectKind } from '../node-contract.ts';
import type { NamesCutOff } from './cut-off.ts';
import type { DoubtDecision, DoubtQuestion } from './doubt.ts';
import type { Iteration } from './iteration.ts';
import type { JobCourse } from './job-course.ts';
import type { ResourceChange } from './resource-record.ts';
import type { SecretPath } from './secrecy/secret-path.ts';

/** What every entry may say about its own values. */
export interface WithSecrets {
  /**
   * The parts of this entry that are secret: whoever stores it keeps them sealed and gives them back with the entry, and
   * shows them to nobody (I8). Absent when there are none.
   */
  readonly secret?: readonly SecretPath[];
}

/** A run began: with which workflow, node library and variables. Always the first entry. */
export interface BeganEntry extends WithSecrets {
  readonly kind: 'began';
  /** SHA-256 of the workflow as it was given. */
  readonly workflow_hash: string;
  /** Which node library, as the embedder names it; absent when it names none. */
  readonly library?: string;
  readonly variables: JsonObject;
  readonly at: number;
}

/** A node is about to run (I4). */
export interface IntentEntry extends WithSecrets {
  readonly kind: 'intent';
  readonly lane?: string;
  /** Counts the executed steps of a run from 1. */
  readonly step: number;
  readonly node_id: string;
  readonly effect: EffectKind;
  readonly attempt: number;
  readonly idempotency_key: string;
  /** Parameters as they were read (before the type's schema, without secrets), kept for `probe`; effects only. */
  readonly params?: JsonObject;
  /** What `prepare` saw before the effect. */
  readonly evidence?: JsonValue;
  readonly at: number;
}

/** A node finished: the exit it chose, its outputs and the variables it changed. */
export interface ResultEntry extends WithSecrets {
  readonly kind: 'result';
  readonly lane?: string;
  readonly step: number;
  readonly node_id: string;
  readonly exit: string | null;
  /** Which turn of which loops it ran in, outermost first: `['loop-1', 3]`. Absent outside of loops. */
  readonly iteration?: Iteration;
  readonly outputs: JsonObject;
  readonly variables: JsonObject;
  /** What a control-flow node decided (the items of a loop, say). */
  readonly control?: ControlOp;
  /** Live objects that the node opened, changed or closed, where they can be restored. */
  readonly resources?: readonly ResourceChange[];
  /** True when parts of outputs or variables could not be stored: names stand for them (see `placeholder.ts`). */
  readonly unstorable?: true;
  readonly duration_ms: number;
  readonly retries: number;
  /** True when `probe` or an operator settled it instead of a run. */
  readonly settled?: boolean;
  /** True when nothing was looked for or found: an operator's answer, or the policy, passed over the node. */
  readonly skipped?: boolean;
  readonly at: number;
}

/** A node failed for good (after its retries). */
export interface FailureEntry extends WithSecrets {
  readonly kind: 'failure';
  readonly lane?: string;
  readonly step: number;
  readonly node_id: string;
  readonly error: RunError;
  readonly duration_ms: number;
  readonly retries: number;
  readonly at: number;
}

/** An attempt failed, and another one will follow: the effect is not in doubt, only not done yet. */
export interface RetryEntry extends WithSecrets {
  readonly kind: 'retry';
  readonly lane?: string;
  readonly step: number;
  readonly node_id: string;
  /** The attempt that failed. */
  readonly attempt: number;
  readonly error: RunError;
  readonly duration_ms: number;
  readonly at: number;
}

/**
 * A node was interrupted and nobody can tell whether its effect happened; or, without a node, the run as a whole is in
 * doubt.
 */
export interface InDoubtEntry extends WithSecrets {
  readonly kind: 'in_doubt';
  readonly lane?: string;
  readonly step: number;
  /** Null: the run as a whole. */
  readonly node_id: string | null;
  readonly attempt: number;
  readonly reason: string;
  readonly place?: string;
  /** What may be answered. */
  readonly answers: readonly DoubtDecision[];
  readonly at: number;
}

/** A question was answered: what comes next of its lane is by that answer. */
export interface AnsweredEntry extends WithSecrets {
  readonly kind: 'answered';
  readonly lane?: string;
  readonly step: number;
  /** Null: the run as a whole. */
  readonly node_id: string | null;
  readonly attempt: number;
  /** Where the node stands among loops and branches, as the question said. */
  readonly place?: string;
  readonly answer: DoubtDecision;
  readonly by: string;
  /** When it was given, ISO 8601; `at` is when it was taken. */
  readonly given_at: string;
  /** The run as a whole goes on with this node library; absent when it has no name. */
  readonly library?: string;
  readonly at: number;
}

/**
 * The run was told to stop: from here on only finally bodies run, and then it ends as `stop` says. When
 * nobody can prove that the interrupted node has ended, the outcome waits for the next resume.
 */
export interface StopEntry extends WithSecrets {
  readonly kind: 'stop';
  /** That of the node which was interrupted. */
  readonly lane?: string;
  /** The step that was interrupted; null when the run stopped between two nodes. */
  readonly step: number | null;
  readonly node_id: string | null;
  readonly stop:
    | { readonly status: 'cancelled'; readonly reason: string; readonly requested_by: string | null }
    | { readonly status: 'failed'; readonly error: RunError };
  readonly at: number;
}

/** A node was told to stop because its lane is, and has ended without a result. */
export interface InterruptedEntry extends WithSecrets {
  readonly kind: 'interrupted';
  readonly lane?: string;
  readonly step: number;
  readonly node_id: string;
  readonly at: number;
}

/** A lane is told to stop: its finally bodies run, then it ends as failed with `error`. */
export interface LaneStopEntry extends WithSecrets {
  readonly kind: 'lane_stop';
  readonly lane?: string;
  readonly error: RunError;
  readonly at: number;
}

/** The finally bodies of a stopped lane did not end in time: what is left of the lane is dropped. */
export interface LaneDroppedEntry extends WithSecrets {
  readonly kind: 'lane_dropped';
  readonly lane?: string;
  readonly at: number;
}

/** The whole state at this point: a fold may start at the newest one (I10). */
export interface SnapshotEntry extends WithSecrets {
  readonly kind: 'snapshot';
  readonly state: JsonObject;
  readonly at: number;
}

/** The run ended. Nothing follows (I5). */
export interface OutcomeEntry extends WithSecrets {
  readonly kind: 'outcome';
  readonly outcome: RunOutcome;
  readonly at: number;
}

export type JournalEntry = EntryOfRun & {
  /** What whoever keeps the journal has noted beside the entry; the run knows nothing of it. */
  readonly course?: JobCourse;
};

type EntryOfRun =
  | BeganEntry
  | IntentEntry
  | ResultEntry
  | FailureEntry
  | RetryEntry
  | InDoubtEntry
  | AnsweredEntry
  | StopEntry
  | InterruptedEntry
  | LaneStopEntry
  | LaneDroppedEntry
  | SnapshotEntry
  | OutcomeEntry;

export interface RunStatistics {
  readonly duration_ms: number;
  readonly nodes_total: number;
  /** Distinct nodes that ran at least once. */
  readonly nodes_executed: number;
  readonly nodes_skipped: number;
}

/** How a run ended for good. */
export type RunOutcome =
  | ({ readonly status: 'completed' } & NamesCutOff & RunStatistics)
  | ({ readonly status: 'failed'; readonly error: RunError } & RunStatistics)
  | ({
      readonly status: 'cancelled';
      readonly reason: string;
      readonly requested_by: string | null;
    } & NamesCutOff &
      RunStatistics);

/** How a call of the engine ended: for good, or to be taken up again later. */
export type RunEnd =
  | RunOutcome
  | ({
      readonly status: 'in_doubt';
      readonly nodes: readonly DoubtQuestion[];
    } & RunStatistics)
  | ({ readonly status: 'suspended'; readonly cause: SuspendCause; readonly reason: string } & RunStatistics);

/**
 * `asked`: its caller asked for it. `journal`: a step could not be recorded; trying again later makes sense.
 * `node-still-running`: the run was stopped but a node has not ended; only the end of the process ends it.
 * `no-process`: no process could be had to run it; trying again later makes sense.
 */
export type SuspendCause = 'asked' | 'journal' | 'node-still-running' | 'no-process';
