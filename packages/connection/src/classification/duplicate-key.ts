import { readField } from '../safe-read.ts';
import { errorLink } from './error-link.ts';

/** A chain longer than this is a loop of fresh objects, not a cause. */
const MAX_LINKS = 64;

/**
 * Whether a write failed because the row with this idempotency key is there already: a unique violation (SQLSTATE
 * 23505) that names the key's value. After an ambiguous attempt that is the confirmation that it was executed.
 *
 * @param key the value that was written to the unique column, as text
 *
 * @example
 * try {
 *   await insertPayment({ request_id: requestId });
 * } catch (error) {
 *   if (!isDuplicateOf(error, requestId)) throw error; // otherwise an earlier attempt has done it
 * }
 */
export function isDuplicateOf(error: unknown, key: string): boolean {
  let link: unknown = error;
  for (let depth = 0; depth < MAX_LINKS && link !== undefined; depth += 1) {
    const { code, details } = errorLink(link);
    if (code === '23505' && `${details} `.includes(`=(${key}) `)) return true;
    link = readField(link, 'cause');
  }
  return false;
}
