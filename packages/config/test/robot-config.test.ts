import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  ConfigError,
  configJsonSchema,
  loadConfig,
  RobotConfig,
  redactConfig,
  requireConnection,
  validateConfig,
} from '../src/index.ts';

const host = { hostname: 'box', homedir: '/home/ann' };

function problemsOf(action: () => unknown): ConfigError {
  try {
    action();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a configuration made in code', () => {
  it('is changed section by section and then validated', () => {
    const config = new RobotConfig({}, host);
    config.jobExecution.maxConcurrentJobs = 5;
    config.robot.home = '~/bot';
    const valid = validateConfig(config, host);
    expect(valid.jobExecution).toMatchObject({ maxConcurrentJobs: 5, heartbeatIntervalMs: 10_000 });
    expect(valid.robot.home).toBe('/home/ann/bot');
    expect(valid.observability.auditDir).toBe('/home/ann/bot/audit');
  });

  it('refuses a status page beyond loopback without a token, and names the setting', () => {
    const open = (statusHost: string, more = {}) =>
      validateConfig(new RobotConfig({ observability: { statusHost, ...more } }, host), host).observability.statusHost;
    for (const address of ['0.0.0.0', '192.168.1.7', '127.0.0.1.example.com', '::']) {
      expect(() => open(address)).toThrow(/observability\.statusHost .*statusToken/);
      expect(open(address, { statusToken: 'a-long-token' })).toBe(address);
      expect(open(address, { statusPort: null })).toBe(address);
    }
    for (const address of ['127.0.0.1', '127.8.9.10', '::1', 'localhost']) expect(open(address)).toBe(address);
  });

  it('refuses a pattern that is none, and says which one', () => {
    const redactPatterns = ['\\bDE\\d{20}\\b', '[a-', 'x*'];
    const wrong = (list: string[]) =>
      problemsOf(() => validateConfig(new RobotConfig({ observability: { redactPatterns: list } }, host), host))
        .message;
    expect(wrong(redactPatterns)).toMatch(/observability\.redactPatterns \(.*\): item 2 is no regular expression: /);
    expect(wrong(redactPatterns.toSpliced(1, 1))).toContain('item 2 matches an empty text');
  });

  it('derives a heartbeat that leaves ten chances per lease', () => {
    const config = new RobotConfig({ jobExecution: { lockTimeoutMs: 3_000 } }, host);
    expect(validateConfig(config, host).jobExecution.heartbeatIntervalMs).toBe(300);
  });

  it('does not share its lists and sections with another one', () => {
    const one = new RobotConfig({}, host);
    one.robot.tags.push('a');
    one.connection.maxDelayMs = 5;
    expect(new RobotConfig({}, host)).toMatchObject({ robot: { tags: [] }, connection: { maxDelayMs: 300_000 } });
  });

  it('is refused with every problem, also unknown names from plain JavaScript', () => {
    const config = new RobotConfig({ jobs: { max: 1 } } as object, host);
    config.jobExecution.maxConcurrentJobs = 0;
    config.circuitBreaker.timeoutMs = Number.NaN;
    Object.assign(config.connection, { connectionTimeout: 30 });
    const error = problemsOf(() => validateConfig(config, host));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.problems.map(({ path }) => path).sort()).toEqual([
      'circuitBreaker.timeoutMs',
      'connection.connectionTimeout',
      'jobExecution.maxConcurrentJobs',
      'jobs',
    ]);
    expect(error.message).toContain('did you mean connection.connectionTimeoutMs?');
    expect(error.message).toContain('set in code');
  });
});

describe('secrets', () => {
  const config = new RobotConfig({ connection: { key: 'planted-secret' } }, host);

  it('are hidden by redactConfig, and the configuration keeps them', () => {
    expect(redactConfig(config).connection.key).toBe('***');
    expect(redactConfig(new RobotConfig({}, host)).connection.key).toBeNull();
    expect(config.connection.key).toBe('planted-secret');
  });

  it('are hidden when the configuration is printed or made JSON', () => {
    const loaded = loadConfig({ env: { SUPABASE_KEY: 'planted-secret' }, ...host });
    for (const text of [
      inspect(config, { depth: 9 }),
      JSON.stringify(config),
      inspect(loaded, { depth: 9 }),
      JSON.stringify(loaded),
      JSON.stringify(loaded.entries()),
      loaded.describe(),
    ]) {
      expect(text).toContain('***');
      expect(text).not.toContain('planted-secret');
    }
  });
});

describe('a command that needs a database', () => {
  it('gets URL and key', () => {
    const config = new RobotConfig({ connection: { url: 'http://127.0.0.1:1', key: 'k' } }, host);
    expect(requireConnection(config)).toEqual({ url: 'http://127.0.0.1:1', key: 'k' });
  });

  it.each([
    [{}, 'No Supabase URL and no key'],
    [{ url: 'http://127.0.0.1:1' }, 'No Supabase key'],
    [{ key: 'planted-secret' }, 'No Supabase URL:'],
  ])('is refused in one message that names both variables and --local', (connection, message) => {
    const error = problemsOf(() => requireConnection(new RobotConfig({ connection }, host)));
    expect(error.code).toBe('CONFIG_MISSING_CONNECTION');
    for (const part of [message, 'SUPABASE_URL', 'SUPABASE_KEY', '--local']) expect(error.message).toContain(part);
    expect(error.message).not.toContain('planted-secret');
    expect(error.message).not.toContain('\n');
  });
});

describe('the JSON Schema', () => {
  it('describes every section and refuses unknown names', () => {
    const schema = configJsonSchema() as { properties: Record<string, { additionalProperties: boolean }> };
    expect(Object.keys(schema.properties)).toEqual([
      '$schema',
      'robot',
      'connection',
      'circuitBreaker',
      'jobExecution',
      'jobProcesses',
      'observability',
      'failureBundles',
      'nodes',
      'permissions',
      'secrets',
      'limits',
      'browser',
    ]);
    expect(schema.properties.jobExecution).toMatchObject({
      additionalProperties: false,
      properties: { maxConcurrentJobs: { type: 'integer', minimum: 1, maximum: 1_000 } },
    });
    expect(schema).not.toHaveProperty('required');
  });
});
