/** What runs one job for the executor: in this process, or (later) in one of its own. */

import type { DoubtAnswer } from '../engine/doubt.ts';
import type { RunReport } from '../engine/run-options.ts';
import type { JsonObject } from '../json.ts';

/** A job as the executor takes it. */
export interface JobSpec {
  readonly jobId: string;
  readonly name: string;
  /** The workflow file's text. */
  readonly workflowJson: string;
  readonly variables: JsonObject;
  /** Higher runs first among the queued ones. */
  readonly priority: number;
  readonly inDoubtPolicy: 'retry' | 'skip' | 'fail' | 'ask' | null;
  /** Limit of the whole run in ms; null: none. */
  readonly timeoutMs: number | null;
  /** What operators have answered to questions of this job. Default none. */
  readonly answers?: readonly DoubtAnswer[];
}

export interface JobRunner {
  /** Runs or resumes the job until it ends or `signal` stops it. Rejects only on a defect of the robot. */
  run(job: JobSpec, signal: AbortSignal): Promise<RunReport>;
}
