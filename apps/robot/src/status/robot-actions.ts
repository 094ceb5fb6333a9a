/** What a person can do to the robot from its page. */
import { nearestName } from '@casare/config';
import { ArgumentError, type DoubtDecision, type JsonObject, type JsonValue } from '@casare/execution';
import type { RobotAgent } from '../robot-agent.ts';

type Robot = Pick<RobotAgent, 'pause' | 'resume' | 'cancelJob' | 'answerJob'>;

/** @param from the caller's address */
export type Action = (args: JsonObject, from: string) => Promise<JsonValue>;

/** What is recorded with a job that is cancelled, or a robot that is paused, from the page. */
const actor = 'status page';

class NoSuchJobError extends Error {
  readonly code = 'NO_SUCH_JOB';
}

class NoSuchFieldError extends Error {
  readonly code = 'INVALID_ARGUMENT';

  constructor(name: string, known: readonly string[]) {
    const meant = nearestName(name, known);
    super(
      `there is no field ${name.slice(0, 100)}${meant === null ? '' : `; did you mean ${meant}?`} (known: ${known.join(', ')})`,
    );
  }
}

/** The actions throw an `ArgumentError`, which names the field, before anything is changed. */
export function robotActions(robot: Robot): ReadonlyMap<string, Action> {
  return new Map<string, Action>([
    [
      'pause',
      async (args, from) => {
        const { note, timeout_ms: timeoutMs } = fieldsOf(args, { note: optional(text), timeout_ms: optional(wholeMs) });
        const asked = { note: (note ?? null) as string | null, timeoutMs: (timeoutMs ?? null) as number | null };
        await robot.pause({ ...asked, requestedBy: actor, requestedFrom: from });
        return null;
      },
    ],
    [
      'resume',
      async (args, from) => {
        const { note } = fieldsOf(args, { note: optional(text) });
        const asked = { note: (note ?? null) as string | null };
        return { was_paused: await robot.resume({ ...asked, requestedBy: actor, requestedFrom: from }) };
      },
    ],
    [
      'cancel',
      async (args, from) => {
        const { job_id: jobId, reason } = fieldsOf(args, { job_id: id, reason: optional(text) });
        const why = typeof reason === 'string' && reason.trim() !== '' ? reason.trim() : 'cancelled by hand';
        if (await robot.cancelJob(String(jobId), { reason: why, requestedBy: actor, requestedFrom: from })) return null;
        throw new NoSuchJobError(
          `this robot has no job ${String(jobId)} any more: \`casare-robot job show\` tells whether it has ended`,
        );
      },
    ],
    [
      'answer',
      async (args, from) => {
        const { by, ...fields } = fieldsOf(args, {
          job_id: id,
          answer: decision,
          node_id: orNull(nodeName),
          step: orNull(count),
          attempt: orNull(count),
          by: optional(personName),
        });
        const name = typeof by === 'string' && by.trim() !== '' ? `${by.trim()}, ${actor}` : actor;
        await robot.answerJob({
          jobId: String(fields.job_id),
          answer: fields.answer as DoubtDecision,
          question: {
            node_id: fields.node_id as string | null,
            step: fields.step as number | null,
            attempt: fields.attempt as number | null,
          },
          requestedBy: name,
          requestedFrom: from,
        });
        return null;
      },
    ],
  ]);
}

interface Field {
  /** What it must be, after "must be". */
  readonly rule: string;
  readonly fits: (value: JsonValue | undefined) => boolean;
}

const text: Field = {
  rule: 'a text of at most 500 characters',
  fits: (value) => typeof value === 'string' && value.length <= 500,
};
const id: Field = {
  rule: 'the id of a job',
  fits: (value) => typeof value === 'string' && value !== '' && value.length <= 100,
};
const decisions: readonly unknown[] = ['retry', 'skip', 'fail', 'restart'] satisfies DoubtDecision[];
const decision: Field = { rule: 'retry, skip, fail or restart', fits: (value) => decisions.includes(value) };
const nodeName: Field = {
  rule: 'the id of a node',
  fits: (value) => typeof value === 'string' && value !== '' && value.length <= 1_000,
};
const count: Field = {
  rule: 'a whole number above 0',
  fits: (value) => Number.isSafeInteger(value) && (value as number) > 0,
};
const personName: Field = {
  rule: 'a name of at most 50 characters',
  fits: (value) => typeof value === 'string' && value.length <= 50,
};
const wholeMs: Field = {
  rule: 'a whole number of ms above 0',
  fits: (value) => Number.isSafeInteger(value) && (value as number) > 0,
};

function optional({ rule, fits }: Field): Field {
  return { rule: `${rule}, or null for none`, fits: (value) => value === undefined || value === null || fits(value) };
}

/** For what has to be said, also when there is none. */
function orNull({ rule, fits }: Field): Field {
  return { rule: `${rule}, or null`, fits: (value) => value === null || fits(value) };
}

function fieldsOf(args: JsonObject, fields: Readonly<Record<string, Field>>): JsonObject {
  for (const name of Object.keys(args)) {
    if (!Object.hasOwn(fields, name)) throw new NoSuchFieldError(name, Object.keys(fields));
  }
  for (const [name, { rule, fits }] of Object.entries(fields)) {
    if (!fits(args[name])) throw new ArgumentError(name, rule, args[name]);
  }
  return args;
}
