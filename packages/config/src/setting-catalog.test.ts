import { describe, expect, it } from 'vitest';
import { defaultSettings } from './defaults.ts';
import { settingList } from './setting-catalog.ts';

describe('the catalog of settings', () => {
  it('gives every setting an environment variable of its own', () => {
    const variables = settingList.map((setting) => setting.variable);
    expect(new Set(variables).size).toBe(variables.length);
  });

  it('names variables after section and setting, but for the well-known ones', () => {
    const variables = Object.fromEntries(settingList.map((setting) => [setting.path, setting.variable]));
    expect(variables).toMatchObject({
      'connection.url': 'SUPABASE_URL',
      'connection.key': 'SUPABASE_KEY',
      'robot.name': 'CASARE_ROBOT_NAME',
      'robot.home': 'CASARE_HOME',
      'jobExecution.maxConcurrentJobs': 'CASARE_MAX_CONCURRENT_JOBS',
      'jobExecution.lockTimeoutMs': 'CASARE_JOB_EXECUTION_LOCK_TIMEOUT_MS',
      'browser.executablePath': 'CASARE_BROWSER_PATH',
      'observability.logLevel': 'CASARE_LOG_LEVEL',
      'circuitBreaker.failureThreshold': 'CASARE_CIRCUIT_BREAKER_FAILURE_THRESHOLD',
    });
  });

  it('allows every default', () => {
    const defaults = defaultSettings({ hostname: 'box', homedir: '/home/ann' }) as unknown as Record<
      string,
      Record<string, unknown>
    >;
    for (const { section, name, kind } of settingList) {
      expect(kind.schema.safeParse(defaults[section]?.[name]).success, `${section}.${name}`).toBe(true);
    }
  });
});
