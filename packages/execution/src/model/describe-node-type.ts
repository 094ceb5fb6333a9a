/** A node type as data, for people and editors: what `casare-robot nodes show` prints. */
import { z } from 'zod';
import { ArgumentError } from '../argument-error.ts';
import { checkNodeType } from '../check-node-type.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { EffectKind, NodeType } from '../node-contract.ts';
import {
  choicesOf,
  isRequired,
  kindsOf,
  type ParamKind,
  type ParamSchema,
  paramsOf,
  tryParse,
} from './param-schema.ts';

export interface ParamDescription {
  readonly name: string;
  /** Empty: any value. */
  readonly kinds: readonly ParamKind[];
  readonly required: boolean;
  /** Absent for a required one, and where there is no value by default. */
  readonly default?: JsonValue;
  readonly choices?: readonly string[];
}

export interface NodeDescription {
  readonly type: string;
  readonly aliases: readonly string[];
  readonly category: string;
  readonly description: string;
  /** What a run with the default config does; null when that cannot be told without the required values. */
  readonly effect: EffectKind | null;
  /** Whether another config may do something else to the world. */
  readonly effectDependsOnConfig: boolean;
  /** Whether the type can look afterwards if an interrupted effect happened. */
  readonly probes: boolean;
  /** Whether what it opened can be opened again after a restart. */
  readonly restores: boolean;
  /** Config keys; each is a data input port, too. */
  readonly config: readonly ParamDescription[];
  /** Exec exits for the default config. */
  readonly exits: readonly string[];
  /** Data output ports for the default config. */
  readonly outputs: readonly string[];
}

/** @throws ArgumentError for what is no node type; see `checkNodeType` */
export function describeNodeType(type: NodeType): NodeDescription {
  requireNodeType(type);
  const { exits = ['exec_out'], outputs } = type;
  return {
    type: type.type,
    aliases: type.aliases ?? [],
    category: type.category,
    description: type.description,
    ...effectOf(type),
    probes: type.probe !== undefined,
    restores: type.restore !== undefined,
    config: [...paramsOf(type)].map(([name, schema]) => describeParam(name, schema)),
    exits: typeof exits === 'function' ? safely(() => exits({}), []) : exits,
    outputs: typeof outputs === 'function' ? safely(() => outputs({}), []) : outputs,
  };
}

function requireNodeType(type: NodeType): void {
  const [problem] = checkNodeType(type);
  if (problem !== undefined) throw new ArgumentError('type', `a node type (${problem})`, type);
}

function describeParam(name: string, schema: ParamSchema): ParamDescription {
  const choices = choicesOf(schema);
  const fallback = tryParse(schema, undefined);
  const value = fallback.ok ? (fallback.value as JsonValue | undefined) : undefined;
  return {
    name,
    kinds: kindsIn(schema),
    required: isRequired(schema),
    ...(value === undefined ? {} : { default: value }),
    ...(choices.length === 0 ? {} : { choices }),
  };
}

/** A schema that reads its values by itself may name its kind as `kind` in its metadata. */
function kindsIn(schema: ParamSchema): readonly ParamKind[] {
  const described = z.globalRegistry.get(schema)?.kind;
  return typeof described === 'string' ? [described as ParamKind] : [...kindsOf(schema)];
}

function effectOf(type: NodeType): Pick<NodeDescription, 'effect' | 'effectDependsOnConfig'> {
  const required = [...paramsOf(type)].filter(([, schema]) => isRequired(schema));
  const config: JsonObject = Object.fromEntries(
    required.map(([name, schema]) => [name, kindsOf(schema).has('number') ? 0 : (choicesOf(schema)[0] ?? 'x')]),
  );
  const params = type.params.safeParse(config);
  if (!params.success) return { effect: null, effectDependsOnConfig: true };
  let isRead = false;
  const watched = new Proxy(params.data as Record<string, unknown>, {
    get: (target, key) => {
      isRead = true;
      return Reflect.get(target, key);
    },
  });
  const effect = safely(() => type.effect(watched), null);
  return { effect, effectDependsOnConfig: isRead || effect === null };
}

function safely<T>(ask: () => T, otherwise: T): T {
  try {
    return ask();
  } catch {
    return otherwise;
  }
}
