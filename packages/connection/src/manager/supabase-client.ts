/**
 * supabase-js, loaded when the first connection is made: who uses the breaker alone need not install it. Loaded
 * synchronously, so that `connect()` is under way as soon as it returns.
 */
import { createRequire } from 'node:module';
import { verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';

type SupabaseJs = Pick<typeof import('@supabase/supabase-js'), 'createClient'>;

/** @throws ConnectionError `DEPENDENCY_MISSING` (class O) when it is not installed */
export function loadSupabase(): SupabaseJs {
  try {
    return createRequire(import.meta.url)('@supabase/supabase-js') as SupabaseJs;
  } catch (cause) {
    const judged = verdict('O', 'DEPENDENCY_MISSING', { remedy: 'npm install @supabase/supabase-js' });
    throw new ConnectionError('a connection needs @supabase/supabase-js, which cannot be loaded', judged, { cause });
  }
}
