/** The ports of a node, as its type and config give them. */
import type { JsonObject } from '../json.ts';
import { type DraftNode, EXEC_IN } from './draft.ts';
import { paramsOf, takesAnyParam } from './param-schema.ts';

export interface NodePorts {
  /** Control outputs. Includes `exec_out` where the designer draws one that is never taken. */
  readonly exits: ReadonlySet<string>;
  /** Data outputs. */
  readonly outputs: ReadonlySet<string>;
  /** Data inputs. */
  readonly inputs: ReadonlySet<string>;
  readonly takesAnyInput: boolean;
  readonly hasExecIn: boolean;
}

/** Undefined when the type is unknown, or when its config keeps its ports from being told. */
export function portsOf(node: DraftNode): NodePorts | undefined {
  const { type } = node;
  if (type === undefined || node.hasUnknownPorts) return undefined;
  const exits = namesOf(type.exits ?? ['exec_out'], node.config);
  const outputs = namesOf(type.outputs, node.config);
  if (exits === undefined || outputs === undefined) return undefined;
  const inputs = new Set(paramsOf(type).keys());
  return {
    exits: new Set(exits.length === 0 ? ['exec_out'] : exits),
    outputs: new Set(node.disabled ? [...outputs, ...inputs] : outputs),
    inputs,
    takesAnyInput: takesAnyParam(type),
    hasExecIn: type.type !== 'StartNode',
  };
}

/** Node types compute ports from configs that were not checked yet; one that cannot is asked again at run time. */
function namesOf(
  names: readonly string[] | ((config: JsonObject) => readonly string[]),
  config: JsonObject,
): readonly string[] | undefined {
  if (typeof names !== 'function') return names;
  try {
    return names(config);
  } catch {
    return undefined;
  }
}

export function isExecSource(ports: NodePorts, port: string): boolean {
  return ports.exits.has(port);
}

export function isExecTarget(port: string): boolean {
  return port === EXEC_IN;
}
