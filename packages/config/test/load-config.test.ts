import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, type LoadConfigOptions, type LoadedConfig, loadConfig } from '../src/index.ts';

let homedir: string;

beforeEach(() => {
  homedir = mkdtempSync(join(tmpdir(), 'casare-config-'));
});

afterEach(() => {
  rmSync(homedir, { recursive: true, force: true });
});

function load(options: LoadConfigOptions = {}): LoadedConfig {
  return loadConfig({ env: {}, hostname: 'box', homedir, cwd: homedir, ...options });
}

function refusal(options: LoadConfigOptions): ConfigError {
  try {
    load(options);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

function file(content: unknown, name = 'robot.json'): string {
  const path = join(homedir, name);
  writeFileSync(path, typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content), {
    mode: 0o600,
  });
  return path;
}

describe('without any source', () => {
  it('every setting has the default of the specification', () => {
    const { config } = load();
    expect(config).toMatchObject({
      robot: { id: null, name: 'Robot-box', home: join(homedir, '.casare_rpa'), tags: [], capabilities: [] },
      connection: {
        url: null,
        key: null,
        initialDelayMs: 1_000,
        maxDelayMs: 300_000,
        backoffMultiplier: 2,
        connectionTimeoutMs: 30_000,
      },
      circuitBreaker: { failureThreshold: 5, successThreshold: 2, timeoutMs: 60_000 },
      jobExecution: { maxConcurrentJobs: 3, checkpointEnabled: true, cancellationCheckIntervalMs: 2_000 },
      observability: { metricsEnabled: true, resourceMonitoringEnabled: true, auditEnabled: true },
    });
  });

  it('every origin is the default', () => {
    expect(
      new Set(
        load()
          .entries()
          .map(({ origin }) => origin.source),
      ),
    ).toEqual(new Set(['default']));
  });
});

describe('precedence', () => {
  it('is defaults, file, environment, command line, and each value knows its origin', () => {
    const path = file({
      jobExecution: { maxConcurrentJobs: 4, nodeTimeoutMs: 5_000, lockTimeoutMs: 60_000 },
      robot: { tags: ['file'] },
    });
    const loaded = load({
      file: path,
      env: { CASARE_MAX_CONCURRENT_JOBS: '6', CASARE_JOB_EXECUTION_NODE_TIMEOUT_MS: '7000' },
      flags: { 'jobExecution.maxConcurrentJobs': '8' },
    });
    expect(loaded.config.jobExecution).toMatchObject({
      maxConcurrentJobs: 8,
      nodeTimeoutMs: 7_000,
      lockTimeoutMs: 60_000,
      pollIntervalMs: 1_000,
    });
    expect(loaded.origin('jobExecution.maxConcurrentJobs')).toEqual({ source: 'flag' });
    expect(loaded.origin('jobExecution.nodeTimeoutMs')).toEqual({
      source: 'environment',
      variable: 'CASARE_JOB_EXECUTION_NODE_TIMEOUT_MS',
    });
    expect(loaded.origin('jobExecution.lockTimeoutMs')).toEqual({ source: 'file', file: path });
    expect(loaded.origin('jobExecution.pollIntervalMs')).toEqual({ source: 'default' });
    expect(loaded.origin('jobExecution.nonsense')).toBeUndefined();
    expect(loaded.describe()).toContain('jobExecution.maxConcurrentJobs = 8 (command line)');
  });

  it('reads config.json in the home that the environment names', () => {
    mkdirSync(join(homedir, 'elsewhere'));
    file({ robot: { name: 'from file' } }, 'elsewhere/config.json');
    const loaded = load({ env: { CASARE_HOME: '~/elsewhere' } });
    expect(loaded.config.robot).toMatchObject({ name: 'from file', home: join(homedir, 'elsewhere') });
    expect(loaded.file).toBe(join(homedir, 'elsewhere', 'config.json'));
  });

  it('needs no config.json, but a named file must exist', () => {
    expect(load().file).toBeNull();
    expect(refusal({ file: 'missing.json' }).message).toContain(`file ${join(homedir, 'missing.json')} does not exist`);
  });
});

describe('the environment', () => {
  it('is read into the type of each setting', () => {
    const { config } = load({
      env: {
        SUPABASE_URL: ' https://example.supabase.co ',
        SUPABASE_KEY: 'key-1\n',
        CASARE_ROBOT_NAME: 'Robby',
        CASARE_ROBOT_TAGS: 'linux, fast ,',
        CASARE_JOB_EXECUTION_CHECKPOINT_ENABLED: 'No',
        CASARE_JOB_EXECUTION_JOB_TIMEOUT_MS: 'none',
        CASARE_JOB_EXECUTION_SYNCHRONOUS: 'NORMAL',
        CASARE_CONNECTION_BACKOFF_MULTIPLIER: '1.5',
        CASARE_BROWSER_PATH: 'bin/chromium',
        CASARE_LOG_LEVEL: 'debug',
      },
    });
    expect(config).toMatchObject({
      robot: { name: 'Robby', tags: ['linux', 'fast'] },
      connection: { url: 'https://example.supabase.co', key: 'key-1', backoffMultiplier: 1.5 },
      jobExecution: { checkpointEnabled: false, jobTimeoutMs: null, synchronous: 'normal' },
      browser: { executablePath: join(homedir, 'bin/chromium') },
      observability: { logLevel: 'debug' },
    });
  });

  it('treats an empty variable as not set', () => {
    expect(load({ env: { SUPABASE_URL: '', CASARE_MAX_CONCURRENT_JOBS: '  ' } }).config).toMatchObject({
      connection: { url: null },
      jobExecution: { maxConcurrentJobs: 3 },
    });
  });

  it.each(['3abc', '-1', '1e3', '0x10', '2.5', '0', 'NaN', '1 000', '99999999999'])(
    'does not take %j for a number of jobs',
    (text) => {
      const error = refusal({ env: { CASARE_MAX_CONCURRENT_JOBS: text } });
      expect(error.message).toContain(
        'jobExecution.maxConcurrentJobs (environment variable CASARE_MAX_CONCURRENT_JOBS): must be a whole number from 1 to 1000',
      );
    },
  );

  it('refuses a misspelled setting and leaves other variables alone', () => {
    const error = refusal({ env: { CASARE_JOB_EXECUTION_LOCK_TIMEOUT: '5', CASARE_JOB_ID: 'x', PATH: '/bin' } });
    expect(error.problems).toHaveLength(1);
    expect(error.message).toContain('did you mean CASARE_JOB_EXECUTION_LOCK_TIMEOUT_MS?');
  });

  it.each([
    ['CASARE_MAX_CONCURENT_JOBS', 'CASARE_MAX_CONCURRENT_JOBS'],
    ['CASARE_LOGLEVEL', 'CASARE_LOG_LEVEL'],
    ['CASARE_HOEM', 'CASARE_HOME'],
    ['CASARE_NODE_TIMEOUT_MS', 'CASARE_JOB_EXECUTION_NODE_TIMEOUT_MS'],
    ['CASARE_JOB_EXECUTON_CANCEL_GRACE_MS', 'CASARE_JOB_EXECUTION_CANCEL_GRACE_MS'],
  ])('refuses %s and means %s', (given, meant) => {
    expect(refusal({ env: { [given]: '1' } }).message).toContain(`unknown variable; did you mean ${meant}?`);
  });

  it('warns of other variables of its prefix, but not of those that somebody reads', () => {
    const others = { CASARE_SECRET_HOEM: 'x', CASARE_JOB_ID: 'x', CASARE_JOB_PROCESS: 'x', CASARE_VERSION: ' ' };
    expect(load({ env: { ...others, CASARE_DOC_IMAGES: '1', CASAREA: 'x' } }).warnings).toEqual([
      "the environment variable CASARE_DOC_IMAGES is none of the robot's settings, and is not read",
    ]);
  });
});

describe('a refused configuration', () => {
  it('lists every problem of every source with its place and what is allowed', () => {
    const path = file({
      jobExecution: { maxConcurrentJobs: '5', inDoubtPolicy: 'maybe', max_concurrent_jobs: 5 },
      conection: {},
      circuitBreaker: 7,
      observability: { timeoutMs: 1 },
    });
    const error = refusal({
      file: path,
      env: { SUPABASE_URL: 'ftp://example.org', CASARE_MAX_CONCURRENT_JOBS: 'many' },
      flags: { 'robot.id': '17', maxConcurrentJobs: 5 },
    });
    expect(error).toMatchObject({ name: 'ConfigError', code: 'CONFIG_INVALID', category: 'permanent' });
    expect(error.message.split('\n')).toEqual([
      'The configuration has 10 problems:',
      `  - jobExecution.max_concurrent_jobs (file ${path}): unknown setting; did you mean jobExecution.maxConcurrentJobs?`,
      `  - conection (file ${path}): unknown section; did you mean connection?`,
      `  - circuitBreaker (file ${path}): must be an object of settings`,
      `  - observability.timeoutMs (file ${path}): unknown setting; did you mean circuitBreaker.timeoutMs?`,
      `  - jobExecution.maxConcurrentJobs (file ${path}): must be a whole number from 1 to 1000, got "5"`,
      `  - jobExecution.inDoubtPolicy (file ${path}): must be one of retry, skip, fail, ask, got "maybe"`,
      '  - connection.url (environment variable SUPABASE_URL): must be an http or https URL without user name and password, or none, got "ftp://example.org"',
      '  - jobExecution.maxConcurrentJobs (environment variable CASARE_MAX_CONCURRENT_JOBS): must be a whole number from 1 to 1000, got "many"',
      '  - maxConcurrentJobs (command line): unknown setting; did you mean jobExecution.maxConcurrentJobs?',
      '  - robot.id (command line): must be a UUID, or none, got "17"',
    ]);
  });

  it('names values that contradict each other', () => {
    const error = refusal({ env: { CASARE_CONNECTION_MAX_DELAY_MS: '500' } });
    expect(error.problems).toEqual([
      {
        path: 'connection.maxDelayMs',
        source: 'environment variable CASARE_CONNECTION_MAX_DELAY_MS',
        message: 'connection.maxDelayMs (500) must not be less than connection.initialDelayMs (1000)',
      },
    ]);
    expect(
      refusal({ flags: { 'jobExecution.lockTimeoutMs': 9_000, 'jobExecution.heartbeatIntervalMs': 5_000 } }).message,
    ).toContain('at most a third');
  });

  it.each([
    { SUPABASE_KEY: 'planted secret' },
    { SUPABASE_URL: 'planted-secret' },
    { SUPABASE_URL: 'https://user:planted-secret@example.org' },
  ])('never shows the key (%j)', (env) => {
    expect(refusal({ env }).message).not.toContain('planted');
  });
});

describe('the file', () => {
  it.each([
    ['UTF-8 with a byte order mark', Buffer.from('\ufeff{"robot": {"name": "Zoë"}}', 'utf8')],
    ['UTF-16 with a byte order mark', Buffer.from('\ufeff{"robot": {"name": "Zoë"}}', 'utf16le')],
    ['a schema for editors', '{"$schema": "./config.schema.json", "robot": {"name": "Zoë"}}'],
  ])('may be %s', (_what, content) => {
    expect(load({ file: file(content) }).config.robot.name).toBe('Zoë');
  });

  it.each([
    ['{\n  "robot": {"name": "a"}\n  "connection": {"key": "planted"}\n}', 'expected "," or "}" at line 3, column 3'],
    ['{"connection": {"key": planted}}', 'expected a value at line 1, column 24'],
    ['[]', 'must hold an object of sections'],
    [Buffer.from([0x7b, 0xff, 0x7d]), 'is not UTF-8 text'],
  ])('is refused with the place of the mistake: %j', (content, message) => {
    const error = refusal({ file: file(content) });
    expect(error.message).toContain(`file ${join(homedir, 'robot.json')} `);
    expect(error.message).toContain(message);
    expect(error.message).not.toContain('planted');
  });

  it('cannot smuggle in a prototype', () => {
    expect(refusal({ file: file('{"__proto__": {"robot": {}}, "robot": {"constructor": 1}}') }).problems).toHaveLength(
      2,
    );
  });

  it('is refused when it is a folder', () => {
    expect(refusal({ file: homedir }).message).toContain('cannot be read');
  });

  it('means paths relative to its own folder', () => {
    mkdirSync(join(homedir, 'etc'));
    const path = file({ robot: { home: '../robot' } }, 'etc/robot.json');
    expect(load({ file: path, cwd: '/' }).config.robot.home).toBe(join(homedir, 'robot'));
  });

  it.skipIf(process.platform === 'win32')('with a key that others may read causes a warning', () => {
    const path = file({ connection: { key: 'abc' } });
    expect(load({ file: path }).warnings).toEqual([]);
    chmodSync(path, 0o644);
    expect(load({ file: path }).warnings.join()).toContain('chmod 600');
  });
});

describe('permissions and secrets', () => {
  it('makes allowed paths absolute, where they are written, and leaves * alone', () => {
    const env = { CASARE_PERMISSIONS_ALLOW_PATHS: 'data,~/in,*', CASARE_SECRETS_PROVIDERS: 'file,keyring' };
    const { config } = loadConfig({ env, hostname: 'box', homedir: '/home/ann', cwd: '/srv/robot' });
    expect(config.permissions.allowPaths).toEqual(['/srv/robot/data', '/home/ann/in', '*']);
    expect(config.secrets.providers).toEqual(['file', 'keyring']);
  });

  it('refuses a provider of secrets that does not exist', () => {
    const env = { CASARE_SECRETS_PROVIDERS: 'vault' };
    expect(() => loadConfig({ env, hostname: 'box', homedir: '/home/ann' })).toThrow(/environment, file, keyring/);
  });
});
