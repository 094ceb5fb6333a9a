/** From whatever a node threw to the error that is stored, and to the verdict that decides about retries. */
import type { RunError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { findNonJson } from '../model/json-check.ts';
import type { WorkflowNode } from '../model/workflow.ts';
import type { ClassifyError, ErrorVerdict } from '../ports.ts';
import { type Redact, redacted, redactedWord } from './redact.ts';

export interface Failure {
  readonly error: RunError;
  /** The effect may have happened all the same. */
  readonly isAmbiguous: boolean;
  readonly thrown: unknown;
}

/** Codes of faults that another attempt cannot mend. */
const hopeless = new Set([
  'INVALID_INPUT',
  'OUTPUT_NOT_JSON',
  'INVALID_EXIT',
  'INVALID_RESULT',
  'VALUE_LOST',
  'SECRET_UNAVAILABLE',
  'OUTPUT_SKIPPED',
  'RESULT_TOO_LARGE',
  'CALL_TIMEOUT',
  'JOB_PROCESS_DIED',
  'JOB_MEMORY_LIMIT',
  'PERMISSION_DENIED',
]);

export function isHopeless(failure: Failure): boolean {
  return hopeless.has(failure.error.code);
}

/** A permission is the operator's to give: no try region and no `stop_on_error: false` passes over a refusal. */
export function endsTheRun(failure: Failure): boolean {
  return failure.error.code === 'PERMISSION_DENIED';
}

export interface FailureRules {
  readonly classifyError?: ClassifyError;
  readonly redact?: Redact;
}

export function failureOf(thrown: unknown, node: WorkflowNode, { classifyError, redact }: FailureRules): Failure {
  const verdict = ownVerdict(thrown) ?? classifyError?.(thrown) ?? { category: 'unknown', code: 'NODE_FAILED' };
  const details = isObject(thrown) ? thrown.details : undefined;
  const isUsable = isObject(details) && findNonJson(details) === null;
  return {
    // Nobody vouches for an error that no rule knows.
    isAmbiguous: verdict.ambiguous ?? verdict.category === 'unknown',
    thrown,
    error: {
      code: redactedWord(verdict.code, redact),
      category: verdict.category,
      message: redacted(messageOf(thrown), redact),
      node_id: node.id,
      node_type: node.type,
      error_type: redactedWord(typeOf(thrown), redact),
      ...(isUsable ? { details: redacted(details as JsonObject, redact) } : {}),
    },
  };
}

/** Errors are understood by shape: they cross package borders. */
function ownVerdict(thrown: unknown): ErrorVerdict | undefined {
  if (!isObject(thrown)) return undefined;
  const { code, category, ambiguous } = thrown;
  const isCategory = category === 'transient' || category === 'permanent' || category === 'unknown';
  if (typeof code !== 'string' || !isCategory) return undefined;
  return { code, category, ...(typeof ambiguous === 'boolean' ? { ambiguous } : {}) };
}

function messageOf(thrown: unknown): string {
  if (isObject(thrown) && typeof thrown.message === 'string' && thrown.message !== '') return thrown.message;
  return typeof thrown === 'string' && thrown !== '' ? thrown : `The node failed with ${describe(thrown)}.`;
}

function typeOf(thrown: unknown): string {
  if (!isObject(thrown)) return 'Error';
  if (typeof thrown.errorType === 'string') return thrown.errorType;
  return typeof thrown.name === 'string' ? thrown.name : 'Error';
}

function describe(thrown: unknown): string {
  return isObject(thrown) ? 'an object without a message' : String(thrown) || 'an empty text';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
