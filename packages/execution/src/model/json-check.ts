/** Whether a value is plain JSON: what variables, outputs and the journal may hold. */

/** A store keeps 1,000 levels, of which the journal's entries need some for themselves. */
const MAX_DEPTH = 900;

/**
 * @returns null for JSON; otherwise what is wrong, beginning with the place, if it matters: `.rows[2] is a Date`
 */
export function findNonJson(value: unknown, path = '', depth = 0): string | null {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return null;
  if (typeof value === 'number') return Number.isFinite(value) ? null : `${path} is ${value}`;
  if (typeof value !== 'object') return `${path} is ${value === undefined ? 'undefined' : `a ${typeof value}`}`;
  if (depth > MAX_DEPTH) return ` is nested more than ${MAX_DEPTH} levels deep`;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const problem = findNonJson(value[index], `${path}[${index}]`, depth + 1);
      if (problem !== null) return problem;
    }
    return null;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return `${path} is a ${nameOf(value)}`;
  for (const key of Object.keys(value)) {
    const problem = findNonJson((value as Record<string, unknown>)[key], `${path}.${key}`, depth + 1);
    if (problem !== null) return problem;
  }
  return null;
}

function nameOf(value: object): string {
  const maker: unknown = value.constructor;
  return typeof maker === 'function' && maker.name !== '' ? maker.name : 'special object';
}
