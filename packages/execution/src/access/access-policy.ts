/**
 * What the nodes of a robot may touch: files, programs, hosts. The operator's rules, never the workflow's.
 *
 * Default: files of the job's work folder, no program, and no loopback, link-local or metadata address. Nodes
 * ask through their context, which remembers a refusal (see engine/node-access.ts). A script or program that was
 * allowed to start has the rights of the operating system's user: nothing here binds it.
 */
import { statSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { requireAnyText, requireObject, requireOptions, requireTexts, requireWhole } from '../argument-error.ts';
import { NodeError } from '../errors.ts';
import { kindOfAddress, kindOfName, plainName } from './address-kind.ts';
import { type NetworkTarget, parseNetRules } from './net-rules.ts';
import { isWithin, realPathOf } from './real-path.ts';

export type { NetworkTarget } from './net-rules.ts';

export interface AccessRules {
  /** Absolute folders (or files) besides the work folder; `*`: all. Default none. */
  readonly allowPaths?: readonly string[];
  /** Absolute folders that stay closed although a folder above them is allowed. Default none. */
  readonly denyPaths?: readonly string[];
  /** Programs by name (found through the robot's own PATH) or by absolute path; `*`: all. Default none. */
  readonly allowCommands?: readonly string[];
  /** Hosts besides the public ones, see `parseNetRules`; `*`: all. Default none. */
  readonly allowNet?: readonly string[];
}

/** Every method answers with the refusal, or null when it is allowed. */
export interface AccessPolicy {
  readonly isNetworkOpen: boolean;
  readonly areCommandsOpen: boolean;
  refusalOfPath(path: string, workDir: string): NodeError | null;
  refusalOfCommand(command: string): NodeError | null;
  refusalOfNetwork(target: NetworkTarget): NodeError | null;
}

/**
 * @throws ArgumentError for a rule that is no list of texts, and for rules that nobody reads
 * @throws Error naming an entry of `allowNet` that cannot be read
 * @example
 * const access = createAccessPolicy({ allowNet: ['127.0.0.1:8080'], allowCommands: ['git'] });
 * access.refusalOfCommand('git'); // null
 * access.refusalOfNetwork({ host: '169.254.169.254', port: 80 })?.code; // 'PERMISSION_DENIED'
 */
export function createAccessPolicy(rules: AccessRules = {}): AccessPolicy {
  requireOptions('rules', rules, ['allowPaths', 'denyPaths', 'allowCommands', 'allowNet']);
  const { allowPaths = [], denyPaths = [], allowCommands = [], allowNet = [] } = rules;
  for (const [name, texts] of Object.entries({ allowPaths, denyPaths, allowCommands, allowNet }))
    requireTexts(name, texts);
  const net = parseNetRules(allowNet);
  const areCommandsOpen = allowCommands.includes('*');
  return {
    isNetworkOpen: net.isOpen,
    areCommandsOpen,
    refusalOfPath(path, workDir) {
      requireAnyText('path', path);
      requireAnyText('workDir', workDir);
      return pathRefusal(path, workDir, allowPaths, denyPaths);
    },
    refusalOfCommand(command) {
      requireAnyText('command', command);
      const isAllowed = areCommandsOpen || allowCommands.some((allowed) => isCommand(command, allowed));
      return isAllowed ? null : commandRefusal(command);
    },
    refusalOfNetwork(target) {
      requireObject('target', target);
      requireAnyText('target.host', target.host);
      requireWhole('target.port', target.port, 0);
      if (target.address !== undefined) requireAnyText('target.address', target.address);
      if (net.allows(target)) return null;
      const kind =
        target.address === undefined
          ? (kindOfAddress(target.host) ?? kindOfName(target.host))
          : kindOfAddress(target.address);
      return kind === null ? null : networkRefusal(target, kind);
    },
  };
}

/** Refuses nothing: for tests and for programs that trust every workflow they run. */
export const openAccess: AccessPolicy = createAccessPolicy({
  allowPaths: ['*'],
  allowCommands: ['*'],
  allowNet: ['*'],
});

/** The most particular rule decides: the innermost folder that is allowed or denied. */
function pathRefusal(
  path: string,
  workDir: string,
  allowPaths: readonly string[],
  denyPaths: readonly string[],
): NodeError | null {
  if (path.includes('\0')) return refusal('The path holds a NUL character.', { path: path.replaceAll('\0', '?') });
  if (allowPaths.includes('*') && denyPaths.length === 0) return null;
  let real: string;
  try {
    real = realPathOf(path);
  } catch {
    return refusal(`${path} leads through links in a circle.`, { path });
  }
  const nearest = (folders: readonly string[]): number =>
    Math.max(-1, ...folders.filter((folder) => isWithin(real, folder)).map((folder) => folder.length));
  const allowed = nearest([workDir, ...allowPaths.filter((folder) => folder !== '*')].map(safeRealPath));
  const denied = nearest(denyPaths.map(safeRealPath));
  if (allowed > denied || (allowed === denied && allowed >= 0)) return null;
  if (denied === -1 && allowPaths.includes('*')) return null;
  const shown = real === path ? path : `${path}, which is ${real},`;
  return denied >= 0
    ? refusal(`${shown} is among the robot's own files, which nodes may not touch.`, { path: real })
    : refusal(
        `${shown} is outside of the job's work folder ${workDir}: start with --allow-path ${folderOf(real)}, ` +
          'or add that folder to permissions.allowPaths.',
        { path: real },
      );
}

const unnamedFolder = 'and the folder of that file';

/** A folder that does not exist is not named: its name may be the half of a secret with a slash, which nobody would know again. */
function folderOf(path: string): string {
  const folder = dirname(path);
  try {
    return statSync(folder).isDirectory() ? folder : unnamedFolder;
  } catch {
    return unnamedFolder;
  }
}

function safeRealPath(folder: string): string {
  try {
    return realPathOf(folder);
  } catch {
    return resolve(folder);
  }
}

function isCommand(command: string, allowed: string): boolean {
  if (command === allowed) return true;
  return isAbsolute(command) && isAbsolute(allowed) && safeRealPath(command) === safeRealPath(allowed);
}

/** As long as a path of Linux may be. What is longer is not cut, because half a secret is known by nobody. */
const longestCommand = 4_096;

function commandRefusal(given: string): NodeError {
  const command = given.length > longestCommand ? `(a name of ${given.length} characters)` : given;
  const flag = /\s/.test(command) ? JSON.stringify(command) : command;
  return refusal(
    `The program "${command}" may not be started: start with --allow-shell ${flag}, or add it to permissions.allowCommands.`,
    { command },
  );
}

function networkRefusal(target: NetworkTarget, kind: string): NodeError {
  const host = plainName(target.host);
  const place = target.port === 0 ? shown(host) : `${shown(host)}:${target.port}`;
  const meaning =
    target.address === undefined || plainName(target.address) === host
      ? `${place} is a ${kind} address`
      : `${place} leads to ${target.address}, a ${kind} address`;
  return refusal(
    `${meaning}, which nodes may not reach: start with --allow-net ${place}, or add it to permissions.allowNet.`,
    { host, port: target.port },
  );
}

function shown(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function refusal(message: string, details: Readonly<Record<string, string | number>>): NodeError {
  return new NodeError(message, { code: 'PERMISSION_DENIED', errorType: 'PermissionError', details: { ...details } });
}
