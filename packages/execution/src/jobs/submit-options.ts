/** What a caller hands to the executor, checked before anything happens. */

import { ArgumentError, requireOneOf, requireOptions, requireText, requireWhole } from '../argument-error.ts';
import { requireShape } from '../argument-shapes.ts';
import { doubtAnswers } from '../engine/doubt.ts';
import type { JsonObject } from '../json.ts';
import type { JobSpec } from './job-runner.ts';

export interface SubmitOptions {
  /** Shown to people. Default: the job's id. */
  readonly name?: string;
  /** Initial values that win over the workflow's own. Default none. */
  readonly variables?: JsonObject;
  /** Higher runs first; a whole number. Default 0. */
  readonly priority?: number;
  /** Default null: the runner's. */
  readonly inDoubtPolicy?: JobSpec['inDoubtPolicy'];
  /** Limit of the whole run in ms. Default null: the runner's. */
  readonly timeoutMs?: number | null;
  /** See `JobSpec.answers`. */
  readonly answers?: JobSpec['answers'];
}

/** @throws ArgumentError */
export function jobSpecOf(jobId: string, workflowJson: string, options: SubmitOptions): JobSpec {
  requireText('jobId', jobId);
  requireText('workflowJson', workflowJson, " (the workflow file's text; an object has to go through JSON.stringify)");
  requireOptions('options', options, ['name', 'variables', 'priority', 'inDoubtPolicy', 'timeoutMs', 'answers']);
  const { name = jobId, variables = {}, priority = 0, inDoubtPolicy = null, timeoutMs = null, answers = [] } = options;
  requireText('name', name);
  if (typeof variables !== 'object' || variables === null || Array.isArray(variables)) {
    throw new ArgumentError('variables', 'an object of names and values', variables);
  }
  requireWhole('priority', priority);
  requireShape('answers', answers, doubtAnswers);
  if (inDoubtPolicy !== null) requireOneOf('inDoubtPolicy', inDoubtPolicy, ['retry', 'skip', 'fail', 'ask']);
  if (timeoutMs !== null && !(typeof timeoutMs === 'number' && timeoutMs > 0)) {
    throw new ArgumentError('timeoutMs', 'a number of ms above 0, or null for none', timeoutMs);
  }
  const spec = { jobId, name, workflowJson, variables, priority, inDoubtPolicy, timeoutMs };
  return answers.length === 0 ? spec : { ...spec, answers };
}
