/** Copies settings for showing: what is secret is replaced (I8). */
import { requireObject } from './errors.ts';
import { settingList } from './setting-catalog.ts';
import type { Settings } from './settings.ts';

/**
 * A plain copy of `settings` in which every secret that is set reads `***`.
 *
 * @throws ConfigError `CONFIG_INVALID` for what is no configuration
 * @example
 * redactConfig(new RobotConfig({ connection: { key: 'very-secret' } })).connection.key // '***'
 */
export function redactConfig(settings: Settings): Settings {
  requireObject(settings, null);
  const copy: Record<string, Record<string, unknown>> = {};
  for (const [section, values] of Object.entries(settings)) copy[section] = { ...values };
  for (const { section, name, kind } of settingList) {
    const values = copy[section];
    if (kind.treatment !== 'secret' || values === undefined) continue;
    if (values[name] !== null && values[name] !== undefined) values[name] = '***';
  }
  return copy as unknown as Settings;
}
