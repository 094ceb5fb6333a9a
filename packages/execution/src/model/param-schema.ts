/** What a parameter's zod schema says about it, without zod's own words. */
import { z } from 'zod';
import type { NodeType } from '../node-contract.ts';

export type ParamSchema = z.core.$ZodType;

export type ParamKind = 'text' | 'number' | 'flag' | 'list' | 'object' | 'choice';

export type SchemaVerdict =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly issues: readonly z.core.$ZodIssue[] };

/** Tries a value. A schema that throws refuses the value: files can hold anything. */
export function tryParse(schema: ParamSchema, value: unknown): SchemaVerdict {
  try {
    const result = z.safeParse(schema, value);
    return result.success ? { ok: true, value: result.data } : { ok: false, issues: result.error.issues };
  } catch {
    return { ok: false, issues: [] };
  }
}

export function paramsOf(type: NodeType): ReadonlyMap<string, ParamSchema> {
  return new Map(Object.entries(type.params.shape as Record<string, ParamSchema>));
}

/** True for a type that takes config keys and inputs beyond those it names. */
export function takesAnyParam(type: NodeType): boolean {
  const catchall = type.params.def.catchall?._zod.def.type;
  return catchall !== undefined && catchall !== 'never';
}

const required = new WeakMap<ParamSchema, boolean>();

/** True when the parameter has no default and nothing else stands in for a missing value. */
export function isRequired(schema: ParamSchema): boolean {
  const known = required.get(schema);
  if (known !== undefined) return known;
  const answer = !tryParse(schema, undefined).ok;
  required.set(schema, answer);
  return answer;
}

const kindOfDef: Readonly<Record<string, ParamKind>> = {
  string: 'text',
  number: 'number',
  boolean: 'flag',
  enum: 'choice',
  literal: 'choice',
  array: 'list',
  tuple: 'list',
  object: 'object',
  record: 'object',
};

/** The kinds of value that the schema is made for; those that cannot be told from outside are left out. */
export function kindsOf(schema: ParamSchema): ReadonlySet<ParamKind> {
  return new Set(kindsIn(schema, 0));
}

function kindsIn(schema: ParamSchema, depth: number): readonly ParamKind[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (depth > 20) return [];
  if (def.type === 'union') return def.options.flatMap((option) => kindsIn(option, depth + 1));
  if (def.type === 'pipe') return kindsIn(def.in, depth + 1);
  if ('innerType' in def) return kindsIn(def.innerType, depth + 1);
  const kind = kindOfDef[def.type];
  return kind === undefined ? [] : [kind];
}

/** False for a list or an object that the parameter never takes, whatever its templates turn out to be. */
export function mayBeStructure(schema: ParamSchema, value: object): boolean {
  const kind = Array.isArray(value) ? 'list' : 'object';
  const declared = z.globalRegistry.get(schema)?.kind;
  if (typeof declared === 'string') return declared === kind;
  const kinds = kindsOf(schema);
  return (kinds.size === 0 && choicesOf(schema).length === 0) || kinds.has(kind);
}

/**
 * The choices of a parameter that takes one of a few words; empty for any other. A schema that reads its words by
 * itself may name them as `choices` in its metadata.
 */
export function choicesOf(schema: ParamSchema): readonly string[] {
  const described = z.globalRegistry.get(schema)?.choices;
  if (Array.isArray(described)) return described.map(String);
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === 'enum') return Object.values(def.entries).map(String);
  if (def.type === 'literal') return def.values.map(String);
  if (def.type === 'union') return def.options.flatMap(choicesOf);
  return 'innerType' in def ? choicesOf(def.innerType) : [];
}
