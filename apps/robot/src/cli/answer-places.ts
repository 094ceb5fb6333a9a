/**
 * Where nodes stand among loops and branches that were asked about and answered. A job's past answers do not say so; its
 * history does.
 */
import type { JsonObject, JsonValue } from '@casare/execution';

/** Events of these kinds name the place of a node. */
export const placeEvents = ['node_in_doubt', 'doubt_answered'] as const;

/** @param events of a job, oldest first */
export function withAnswerPlaces(job: JsonObject, events: readonly JsonObject[]): JsonObject {
  if (!Array.isArray(job.past_answers)) return job;
  const places = new Map<string, string>();
  for (const { node_id: nodeId, payload } of events) {
    const { step, attempt, place } = objectOf(payload);
    if (typeof place === 'string') places.set(keyOf(nodeId, step, attempt), place);
  }
  const answers = job.past_answers.map((answer: JsonValue) => {
    const { node_id: nodeId, step, attempt } = objectOf(answer);
    const place = places.get(keyOf(nodeId, step, attempt));
    return place === undefined ? answer : { ...objectOf(answer), place };
  });
  return { ...job, past_answers: answers };
}

function keyOf(...parts: readonly (JsonValue | undefined)[]): string {
  return JSON.stringify(parts);
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
