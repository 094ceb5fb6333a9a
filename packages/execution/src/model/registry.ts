/** The node types that a robot can run, by name. */
import { ArgumentError, requireAnyText, requireObjects, requireText, requireTexts } from '../argument-error.ts';
import { controlNodeTypes } from '../control/control-node-types.ts';
import type { NodeType } from '../node-contract.ts';
import { Speller } from './nearest.ts';
import { olderTypeNames } from './type-families.ts';

export interface NodeRegistry {
  /** The type of this name, or of an alias; undefined when there is none. */
  get(name: string): NodeType | undefined;
  has(name: string): boolean;
  /** All types, control flow first, in the order of registration. */
  list(): readonly NodeType[];
  /** The registered name that `name` was probably meant to be; null when none is near. */
  nearest(name: string): string | null;
  /** Other names that files may use, with the names they stand for. */
  readonly aliases: ReadonlyMap<string, string>;
}

/**
 * A registry of the control-flow types, which are always in it, and of `types`. Older names of the file format
 * (`BrowserNavigateNode` for `GoToURLNode`) and each type's own aliases are understood.
 *
 * @throws ArgumentError naming the place where `types` is no list of node types, or where a type has the name of another one:
 *   two node packages must not shadow each other
 * @example
 * const registry = createNodeRegistry([]);
 * registry.has('IfNode'); // true
 * registry.nearest('IffNode'); // 'IfNode'
 */
export function createNodeRegistry(types: readonly NodeType[]): NodeRegistry {
  requireNodeTypes(types);
  const byName = new Map<string, NodeType>();
  for (const type of controlNodeTypes) byName.set(type.type, type);
  for (const [index, type] of types.entries()) {
    if (byName.has(type.type))
      throw new ArgumentError(`types[${index}].type`, 'a name that no other type has', type.type);
    byName.set(type.type, type);
  }
  const aliases = aliasesOf(byName);
  const resolve = (name: string): NodeType | undefined => byName.get(name) ?? byName.get(aliases.get(name) ?? '');
  return {
    get: resolve,
    has: (name) => resolve(name) !== undefined,
    list: () => [...byName.values()],
    nearest: (name) => nearestType(name, byName, aliases),
    aliases,
  };
}

/** What else a type must be is for `checkNodeType`. */
function requireNodeTypes(types: readonly NodeType[]): void {
  requireObjects('types', types);
  for (const [index, { type, aliases = [] }] of types.entries()) {
    requireText(`types[${index}].type`, type);
    requireTexts(`types[${index}].aliases`, aliases);
  }
}

function aliasesOf(byName: ReadonlyMap<string, NodeType>): ReadonlyMap<string, string> {
  const aliases = new Map<string, string>();
  for (const type of byName.values()) {
    for (const alias of type.aliases ?? []) if (!byName.has(alias)) aliases.set(alias, type.type);
  }
  for (const [older, current] of olderTypeNames) {
    if (!byName.has(older) && byName.has(current) && !aliases.has(older)) aliases.set(older, current);
  }
  return aliases;
}

/**
 * By words first (`ParseJSONNode` is `JsonParseNode`), then by spelling, then by words that begin alike or are left
 * out (`SetVarNode` is `SetVariableNode`, `LogMessageNode` is `LogNode`).
 */
function nearestType(
  name: string,
  byName: ReadonlyMap<string, NodeType>,
  aliases: ReadonlyMap<string, string>,
): string | null {
  requireAnyText('name', name);
  const wanted = wordsOf(name);
  if (wanted.length === 0 || name.length > 80) return null;
  const types = [...byName.keys()];
  const sameWords = types.find((type) => wordsOf(type).toSorted().join() === wanted.toSorted().join());
  if (sameWords !== undefined) return sameWords;
  const spelled = new Map([...types, ...aliases.keys()].map((type) => [stem(type), aliases.get(type) ?? type]));
  const near = new Speller().nearest(stem(name), spelled.keys(), 0.4);
  if (near !== null) return spelled.get(near) ?? null;
  const alike = types.filter((type) => matches(wanted, wordsOf(type)) || matches(wordsOf(type), wanted));
  return alike.toSorted((a, b) => a.length - b.length)[0] ?? null;
}

/** True when every word of `few` begins like one of `many`, or one of `many` like it. */
function matches(few: readonly string[], many: readonly string[]): boolean {
  return few.every((word) => many.some((other) => word.startsWith(other) || other.startsWith(word)));
}

function stem(name: string): string {
  return name.replace(/[_\s-]+/g, '').replace(/node$/i, '');
}

function wordsOf(name: string): string[] {
  const words = stem(name).match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/g) ?? [];
  return words.map((word) => word.toLowerCase());
}
