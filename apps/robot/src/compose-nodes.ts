/**
 * What a robot's nodes are and what they may use: the built-in types and those of configured packages, permissions,
 * secrets, limits. The daemon, its job processes and every command of the command line make it here.
 */
import type { Settings } from '@casare/config';
import {
  type AccessPolicy,
  createAccessPolicy,
  createNodeRegistry,
  type NodeRegistry,
  type NodeType,
  type ResourceLimits,
  redacted,
  type SecretSource,
} from '@casare/execution';
import { createBrowserNodes, dataNodes, libraryVersion } from '@casare/nodes';
import { Redactor } from '@casare/observability/redaction';
import { loadNodePackages, type NodePackage } from './node-packages/load-node-packages.ts';
import { configuredSecrets } from './secrets/configured-secrets.ts';

export type NodeLibrarySettings = Pick<
  Settings,
  'robot' | 'nodes' | 'permissions' | 'secrets' | 'limits' | 'browser' | 'failureBundles'
>;

export interface NodeLibraryOptions {
  /** Node types of an embedding program, beside the built-in ones. */
  readonly extra?: readonly NodeType[];
  /** Folder that relative paths of `nodes.packages` mean besides the robot's home. Default: the current one. */
  readonly cwd?: string;
  /** Gets every secret before a node does. Default: a new one, see `NodeLibrary.redactor`. */
  readonly redactor?: Redactor;
}

export interface NodeLibrary {
  readonly registry: NodeRegistry;
  /** The built-in package first; then in the order of the configuration. */
  readonly packages: readonly NodePackage[];
  /** Every package with its version: what is recorded with a job. */
  readonly name: string;
  readonly access: AccessPolicy;
  readonly secrets: SecretSource;
  readonly limits: ResourceLimits;
  /** Knows the secrets that the environment and the file of secrets hold, and every one that was resolved so far. */
  readonly redactor: Redactor;
  /** Takes out of a value every secret that a workflow names, also those that another process has resolved. */
  withoutSecrets<T>(workflowJson: string, value: T): Promise<T>;
}

/** @throws NodePackageError; ConfigError-like errors for permissions that cannot be read */
export async function createNodeLibrary(
  settings: NodeLibrarySettings,
  options: NodeLibraryOptions = {},
): Promise<NodeLibrary> {
  const { extra = [], redactor = new Redactor() } = options;
  const builtin: NodePackage = {
    name: '@casare/nodes',
    version: libraryVersion,
    types: [
      ...dataNodes,
      ...createBrowserNodes({
        executablePath: settings.browser.executablePath ?? undefined,
        hasDisplay: hasDisplay(),
        traces: settings.failureBundles.enabled && settings.failureBundles.traces,
      }),
    ],
  };
  const control = createNodeRegistry([]);
  const places = { home: settings.robot.home, cwd: options.cwd ?? process.cwd() };
  const loaded = await loadNodePackages(
    settings.nodes.packages,
    places,
    new Map([
      ...namesOf(control.list(), 'the engine'),
      ...namesOf(builtin.types, builtin.name),
      ...namesOf(extra, 'the program that embeds the robot'),
    ]),
  );
  const packages = [builtin, ...loaded];
  const secrets = await configuredSecrets(settings, redactor);
  return {
    registry: createNodeRegistry([...packages.flatMap(({ types }) => types), ...extra]),
    packages,
    name: packages.map(({ name, version }) => `${name}@${version}`).join(' '),
    access: accessOf(settings),
    limits: {
      browser: settings.limits.browsersPerJob,
      page: settings.limits.pagesPerJob,
      '*': settings.limits.connectionsPerJob,
    },
    secrets,
    redactor,
    async withoutSecrets(workflowJson, value) {
      for (const id of secretsNamedIn(workflowJson)) await secrets.get(id).catch(() => undefined);
      return redacted(value, (text) => redactor.text(text));
    },
  };
}

/** The ids of `$secret:id` and `credential_name` in a workflow's text. */
function secretsNamedIn(workflowJson: string): ReadonlySet<string> {
  const references = workflowJson.matchAll(/\$secret:([^\s}"\\]+)|"credential_name"\s*:\s*"([^"\\]+)"/g);
  return new Set([...references].map(([, secret, credential]) => secret ?? credential ?? ''));
}

function namesOf(types: readonly NodeType[], owner: string): readonly (readonly [string, string])[] {
  return types.flatMap(({ type, aliases = [] }) => [type, ...aliases].map((name) => [name, owner] as const));
}

/** The robot's own files stay closed to nodes, whatever folder above them is allowed; its jobs' work folders do not. */
function accessOf({ permissions, robot }: NodeLibrarySettings): AccessPolicy {
  try {
    return createAccessPolicy({ ...permissions, denyPaths: [robot.home] });
  } catch (error) {
    throw Object.assign(new Error(`permissions.allowNet: ${(error as Error).message}`), { code: 'CONFIG_INVALID' });
  }
}

/** On Linux a window needs a display server; a robot that runs as a service has none. */
function hasDisplay(): boolean {
  if (process.platform !== 'linux') return true;
  // biome-ignore lint/style/noProcessEnv: the display belongs to the session of this process, it is no setting of the robot
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  return (DISPLAY ?? '') !== '' || (WAYLAND_DISPLAY ?? '') !== '';
}
