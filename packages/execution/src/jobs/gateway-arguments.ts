/** What the gateway and the locker must be handed, checked before anything is sent. */
import type { z } from 'zod';
import { requireOptions, requireText } from '../argument-error.ts';
import {
  delayTimeMs,
  durationMs,
  filledText,
  listOf,
  lockTimeMs,
  numberFrom,
  object,
  oneOf,
  plainObject,
  requireShape,
  shapeOf,
  stopSignal,
  text,
  texts,
  wholeFrom,
  wholeNumber,
} from '../argument-shapes.ts';
import { GatewayError } from './gateway-error.ts';
import type { EnqueueRequest, GatewayCallOptions } from './gateway-types.ts';

const tokenText = text.regex(/^\d+$/, { error: 'a number as a text, such as "17"' });
const leaseShape = shapeOf({ jobId: filledText, leaseToken: tokenText });
const claimShape = shapeOf({ requestId: filledText, limit: wholeFrom(0), capabilities: texts, tags: texts });
const lineShape = shapeOf({ at: text, level: filledText, nodeId: text.nullable(), message: text });

/** By what the arguments are called. */
const shapes: Readonly<Record<string, z.ZodType>> = {
  answer: oneOf(['retry', 'skip', 'fail', 'restart']),
  asked: shapeOf({ node_id: text.nullable(), step: wholeNumber.nullable(), attempt: wholeNumber.nullable() }),
  by: text,
  batches: listOf(
    shapeOf({ jobId: filledText, leaseToken: tokenText, firstSeq: wholeFrom(0), lines: listOf(lineShape) }),
  ),
  claim: claimShape,
  delayMs: delayTimeMs,
  end: shapeOf({
    status: oneOf(['completed', 'failed', 'cancelled']),
    result: plainObject.nullable(),
    error: plainObject.nullable(),
    progress: plainObject.nullish(),
  }),
  events: listOf(shapeOf({ seq: wholeFrom(0), kind: filledText, node_id: text.nullable(), at: text, payload: object })),
  filter: shapeOf({ status: filledText.optional(), limit: wholeFrom(1).optional() }),
  lease: leaseShape,
  leases: listOf(shapeOf({ jobId: filledText, leaseToken: tokenText, recorded: wholeFrom(0).optional() })),
  limit: wholeFrom(1),
  lockTimeoutMs: lockTimeMs,
  metrics: object.nullable(),
  after: shapeOf({ leaseToken: tokenText, seq: wholeFrom(0) }),
  prefix: text,
  progress: object,
  question: shapeOf({ nodeId: text.nullish(), step: wholeNumber.nullish() }),
  questions: listOf(
    shapeOf({
      node_id: text.nullable(),
      step: wholeNumber.nullable(),
      attempt: wholeNumber.nullable(),
      reason: text,
      answers: texts,
    }),
  ),
  reason: text.nullable(),
  request: claimShape,
  reports: listOf(shapeOf({ lease: leaseShape, progress: object })),
  robot: shapeOf({
    name: text,
    capabilities: texts,
    tags: texts,
    maxConcurrentJobs: wholeFrom(0),
    version: text,
    bootId: text,
  }),
  status: text,
  turn: shapeOf({
    presence: shapeOf({ status: text, metrics: object.nullable() }).nullable(),
    claim: claimShape.nullable(),
  }),
};

/** @throws ArgumentError naming the argument, or the part of it, that is not as it must be */
export function requireArguments(given: Readonly<Record<string, unknown>>): void {
  for (const [argument, value] of Object.entries(given)) {
    const shape = shapes[argument];
    if (shape !== undefined) requireShape(argument, value, shape);
  }
}

const callShape = shapeOf({ signal: stopSignal.optional(), timeoutMs: numberFrom(0).optional() });

/** @throws ArgumentError */
export function requireCallOptions(options: GatewayCallOptions | undefined): void {
  if (options !== undefined) requireShape('options', options, callShape);
}

const enqueueParts = {
  workflow: filledText,
  variables: object.optional(),
  name: text.optional(),
  priority: wholeNumber.optional(),
  inDoubtPolicy: oneOf(['retry', 'skip', 'fail', 'ask']).optional(),
  onLost: oneOf(['hold', 'restart']).optional(),
  timeoutMs: durationMs.optional(),
  maxAttempts: wholeFrom(1).optional(),
  dedupKey: text.optional(),
};
const enqueueShape = shapeOf(enqueueParts);

/** @throws ArgumentError */
export function requireEnqueueRequest(request: EnqueueRequest): void {
  requireOptions('request', request, Object.keys(enqueueParts));
  requireShape('request', request, enqueueShape);
}

const uuidShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** @throws ArgumentError unless it is a text; GatewayError `INVALID_ID` */
export function uuid(argument: string, value: string): string {
  requireText(argument, value);
  if (uuidShape.test(value)) return value;
  throw new GatewayError('INVALID_ID', `${argument} must be a UUID, but is ${JSON.stringify(value)}`);
}

/** By what a job is known, however its id is written: the database answers with lower-case letters. */
export function jobKey(jobId: string): string {
  return uuidShape.test(jobId) ? jobId.toLowerCase() : jobId;
}
