/** PostgREST's own codes. */
import type { ClassifyRule } from './error-link.ts';
import { verdict } from './verdict.ts';

/** Something is not where it should be: perhaps only the schema cache is stale, so one delayed try is worth it. */
const PERHAPS_STALE: ReadonlySet<string> = new Set(['PGRST202', 'PGRST204', 'PGRST205']);

export const postgrestRule: ClassifyRule = ({ code, retryAfterMs }) => {
  const [, group] = /^PGRST([0-9X])\d\d$/.exec(code) ?? [];
  if (group === undefined) return undefined;
  if (PERHAPS_STALE.has(code)) {
    return verdict('P', code, {
      retryOnce: true,
      retryAfterMs,
      remedy: 'the database lacks it: apply the migrations, then let PostgREST reload its schema cache',
    });
  }
  if (code === 'PGRST300') return verdict('O', code, { remedy: "the server's JWT secret is missing" });
  if (group === '0') return verdict('S', code, { retryAfterMs });
  if (group === '3') return verdict('U', code, { remedy: 'the token was refused or has expired: get a new one' });
  if (group === 'X') return verdict('A', code, { retryAfterMs });
  return verdict('P', code);
};
