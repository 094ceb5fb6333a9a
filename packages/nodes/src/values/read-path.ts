/** Looks into nested values by a dotted path: `user.emails[0].address`, `user.emails.0.address`, `rows.-1`. */
import type { JsonValue } from '../ports.ts';
import { isObject } from './kind-of.ts';

/** The value at the path; undefined when the path leads nowhere. An empty path is the value itself. */
export function readPath(value: JsonValue, path: string): JsonValue | undefined {
  let current: JsonValue | undefined = value;
  for (const step of stepsOf(path)) {
    if (Array.isArray(current)) {
      if (!/^-?\d+$/.test(step)) return undefined;
      current = current.at(Number(step)) as JsonValue | undefined;
    } else if (isObject(current) && Object.hasOwn(current, step)) {
      current = current[step] as JsonValue;
    } else {
      return undefined;
    }
  }
  return current;
}

function stepsOf(path: string): string[] {
  return path
    .replace(/\[(-?\d+)\]/g, '.$1')
    .split('.')
    .map((step) => step.trim())
    .filter((step) => step !== '');
}
