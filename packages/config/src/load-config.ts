/**
 * Puts the configuration together: defaults, then the file, then the environment, then the command line, each
 * over the one before. Every value remembers where it came from.
 */
import { join, resolve } from 'node:path';
import { defaultSettings } from './defaults.ts';
import { readEnvironment } from './environment-source.ts';
import { type ConfigProblem, invalidConfig } from './errors.ts';
import { type FileSource, readConfigFile } from './file-source.ts';
import { type Flags, readFlags } from './flag-source.ts';
import { checkGivenValue, type Source } from './given-value.ts';
import { LoadedConfig } from './loaded-config.ts';
import { mergeSources } from './merge-sources.ts';
import { nearestName } from './nearest-name.ts';
import type { Environment, Host } from './ports.ts';
import { RobotConfig } from './robot-config.ts';
import { systemHost } from './system-host.ts';

export interface LoadConfigOptions {
  /** Default `process.env`. */
  readonly env?: Environment;
  /** A JSON file that must exist. Default: `config.json` in the robot's home, if there is one. */
  readonly file?: string;
  /** Values of the command line by setting path (`'jobExecution.maxConcurrentJobs'`), as text or typed. */
  readonly flags?: Flags;
  /** Default: the name of this computer. */
  readonly hostname?: string;
  /** Default: the home folder of this account. */
  readonly homedir?: string;
  /** Folder that relative paths mean. Default: the current one. */
  readonly cwd?: string;
}

/**
 * Loads the configuration. Neither URL nor key is needed here; see `requireConnection`.
 *
 * @throws ConfigError `CONFIG_INVALID`, listing every problem of every source, or naming an option that is of another kind
 * @example
 * const { config } = loadConfig({ env: { CASARE_MAX_CONCURRENT_JOBS: '5' } });
 * config.jobExecution.maxConcurrentJobs // 5
 */
export function loadConfig(options: LoadConfigOptions = {}): LoadedConfig {
  requireOptions(options);
  const host = hostOf(options);
  const cwd = options.cwd ?? process.cwd();
  const environment = readEnvironment(options.env ?? process.env, cwd);
  const flags = readFlags(options.flags ?? {}, cwd);
  const file =
    options.file === undefined ? join(homeOf([flags, environment], host), 'config.json') : resolve(cwd, options.file);
  const fileSource = readConfigFile(file);
  const sources = [requireFound(fileSource, options.file === undefined ? null : file), environment, flags];
  const { settings, origins } = mergeSources(defaultSettings(host), sources, host.homedir);
  return new LoadedConfig({
    config: new RobotConfig(settings, host),
    file: fileSource.found ? file : null,
    warnings: [...fileSource.warnings, ...environment.warnings],
    origins,
  });
}

const optionNames = ['env', 'file', 'flags', 'hostname', 'homedir', 'cwd'] as const;

/** What a source must be before it can be read: with that, everything else is a problem of one of its values. */
function requireOptions(options: LoadConfigOptions): void {
  if (typeof options !== 'object' || options === null)
    throw invalidConfig([{ path: 'options', source: 'code', message: 'must be an object: loadConfig({ file })' }]);
  const problems: ConfigProblem[] = [];
  const add = (path: string, message: string): void => void problems.push({ path, source: 'code', message });
  for (const name of ['file', 'hostname', 'homedir', 'cwd'] as const) {
    const given: unknown = options[name];
    if (given !== undefined && (typeof given !== 'string' || given === ''))
      add(name, 'must be a text that is not empty');
  }
  for (const name of ['env', 'flags'] as const) {
    const given: unknown = options[name];
    if (given !== undefined && (typeof given !== 'object' || given === null)) add(name, 'must be an object');
  }
  for (const [variable, text] of Object.entries(options.env ?? {})) {
    if (text !== undefined && typeof text !== 'string') add(`env.${variable}`, 'must be a text');
  }
  for (const name of Object.keys(options)) {
    const meant = (optionNames as readonly string[]).includes(name) ? null : nearestName(name, new Set(optionNames));
    if (meant !== null) add(name, `is no option; did you mean ${meant}?`);
  }
  if (problems.length > 0) throw invalidConfig(problems);
}

function hostOf({ hostname, homedir }: LoadConfigOptions): Host {
  if (hostname !== undefined && homedir !== undefined) return { hostname, homedir };
  const system = systemHost();
  return { hostname: hostname ?? system.hostname, homedir: homedir ?? system.homedir };
}

/** The robot's home as far as it is known before the file is read. */
function homeOf(sources: readonly Source[], host: Host): string {
  for (const { given } of sources) {
    const home = given.find(({ setting }) => setting.path === 'robot.home');
    const checked = home === undefined ? undefined : checkGivenValue(home, host.homedir);
    if (checked?.ok === true && typeof checked.value === 'string') return checked.value;
  }
  return defaultSettings(host).robot.home;
}

function requireFound(source: FileSource, namedFile: string | null): Source {
  if (source.found || namedFile === null) return source;
  const problem: ConfigProblem = { path: null, source: `file ${namedFile}`, message: 'does not exist' };
  return { given: [], problems: [problem] };
}
