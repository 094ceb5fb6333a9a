/** Times as the command line shows them: one form for people, one for programs, both UTC. */
import type { JsonObject, JsonValue } from '@casare/execution';

/** `2026-11-25 20:12:37 UTC`; empty when there is no time. */
export function timeText(value: JsonValue | undefined): string {
  const iso = isoTime(value);
  return iso === null ? '' : `${iso.slice(0, 19).replace('T', ' ')} UTC`;
}

/** `2026-11-25T20:12:37.123Z`, whatever form of ISO 8601 the database gave it; null when it is no time. */
export function isoTime(value: JsonValue | undefined): string | null {
  const time = typeof value === 'string' ? new Date(value) : null;
  return time === null || Number.isNaN(time.getTime()) ? null : time.toISOString();
}

/**
 * A job for programs: its times, and those of its attempts and answers, in one form. What a workflow made, its variables
 * and results, stays as it is.
 */
export function withIsoTimes(job: JsonObject): JsonObject {
  const own = isoIn(job);
  for (const name of ['attempts', 'answers', 'past_answers'] as const) {
    const list = own[name];
    if (Array.isArray(list)) own[name] = list.map((item) => (isObject(item) ? isoIn(item) : item));
  }
  return own;
}

function isoIn(record: JsonObject): Record<string, JsonValue> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name,
      name === 'at' || name.endsWith('_at') || name.endsWith('_since') ? (isoTime(value) ?? value) : value,
    ]),
  );
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
