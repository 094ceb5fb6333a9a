/**
 * How long a node may run: by its own `timeout` if the workflow gives it, else by the workflow's setting, else
 * by the limit that its type keeps itself or the robot's. Waits have only their own, and control-flow nodes
 * have none: they never wait.
 */
import { controlBehaviour } from '../control/control-type.ts';
import type { JsonValue } from '../json.ts';
import type { NodeType } from '../node-contract.ts';
import { numberOf } from './number-of.ts';

export interface LimitSources {
  readonly type: NodeType;
  readonly params: Readonly<Record<string, unknown>>;
  /** `timeout` as the workflow gives it, in the type's unit; undefined or null: not given. */
  readonly given: JsonValue | undefined;
  /** The workflow's setting, if it has one of its own. */
  readonly settingSeconds: number | undefined;
  readonly defaultMs: number;
}

/** The engine's margin over a limit that the node itself keeps, so that the node's own error comes first. */
const OWN_LIMIT_MARGIN_MS = 1_000;

/** @returns ms; null for no limit */
export function timeLimitMs({ type, params, given, settingSeconds, defaultMs }: LimitSources): number | null {
  if (controlBehaviour(type) !== undefined) return null;
  const isGiven = given !== undefined && given !== null;
  const keptMs = type.timeoutMs?.(params);
  if (keptMs !== undefined && (isGiven || settingSeconds === undefined || type.unbounded)) {
    return keptMs + OWN_LIMIT_MARGIN_MS;
  }
  if (type.unbounded) return null;
  const ownSeconds = isGiven && type.timeoutMs === undefined ? givenSeconds(type, params, given) : null;
  if (ownSeconds !== null) return ownSeconds * 1_000 + (isKeptByNode(type) ? OWN_LIMIT_MARGIN_MS : 0);
  return settingSeconds === undefined ? defaultMs : settingSeconds * 1_000;
}

function givenSeconds(type: NodeType, params: Readonly<Record<string, unknown>>, given: JsonValue): number | null {
  const seconds = numberOf(isKeptByNode(type) ? params.timeout : given);
  return seconds !== null && seconds > 0 ? seconds : null;
}

/** A type that names `timeout` among its parameters sees to it itself. */
function isKeptByNode(type: NodeType): boolean {
  return Object.hasOwn(type.params.shape, 'timeout');
}
