/**
 * When a job went through its stages, over all processes that worked on it. Each process sees its own part: whoever keeps
 * the journal notes the course so far beside entries (`JobProgress.withCourse`), and the next process has it from there.
 */
import type { JsonObject } from '../json.ts';

/** Times in ms since the epoch. */
export interface JobCourse extends JsonObject {
  /** Those up to where the run began. */
  readonly stages: { readonly [stage in BeginningStage]?: number };
  /** When it went on in another process, or after an answer: the first time and the newest ones, in order (I7). */
  readonly resumed: readonly number[];
  /** How often it did. */
  readonly resumptions: number;
  /** Beside a snapshot: the nodes that have completed. A snapshot itself knows those that failed as executed, too. */
  readonly completed?: readonly string[];
}

export type BeginningStage = (typeof beginningStages)[number];

export const beginningStages = ['queued', 'starting', 'loading_workflow', 'executing'] as const;

const maxResumed = 10;

export const noCourse: JobCourse = { stages: {}, resumed: [], resumptions: 0 };

/** The newest that a journal holds; its beginning where nobody has noted any. */
export function courseIn(entries: readonly { readonly course?: JobCourse }[]): JobCourse {
  return entries.findLast(({ course }) => course !== undefined)?.course ?? noCourse;
}

export function resumedCourse(course: JobCourse, at: number): JobCourse {
  const all = [...course.resumed, at];
  const [first = at] = all;
  const resumed = all.length > maxResumed ? [first, ...all.slice(1 - maxResumed)] : all;
  return { stages: course.stages, resumed, resumptions: course.resumptions + 1 };
}
