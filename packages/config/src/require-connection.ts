/** For commands that cannot do without a database. */
import { ConfigError, requireObject } from './errors.ts';
import { findSetting } from './setting-catalog.ts';
import type { ConnectionSettings } from './settings.ts';

/**
 * URL and key of the database.
 *
 * @throws ConfigError `CONFIG_MISSING_CONNECTION` when either is missing
 * @example
 * const { url, key } = requireConnection(config);
 */
export function requireConnection(config: { readonly connection: Readonly<ConnectionSettings> }): {
  readonly url: string;
  readonly key: string;
} {
  requireObject(config, null);
  requireObject(config.connection, 'connection');
  const { url, key } = config.connection;
  if (url !== null && key !== null) return { url, key };
  const missing = [...(url === null ? ['connection.url'] : []), ...(key === null ? ['connection.key'] : [])];
  throw new ConfigError(
    'CONFIG_MISSING_CONNECTION',
    `No Supabase ${missing.length === 2 ? 'URL and no key' : url === null ? 'URL' : 'key'}: set SUPABASE_URL and SUPABASE_KEY, or use --local for a database of the robot's own.`,
    missing.map((path) => ({ path, source: 'default', message: `is not set; use ${findSetting(path)?.variable}` })),
  );
}
