/** Reports how an object falls short of the node contract: for loaders of packages and for tests of node authors. */
import { controlBehaviour } from './control/control-type.ts';
import type { NodeType } from './node-contract.ts';

/** Changes when node types of an earlier version may no longer run. A package may say which one it was built for. */
export const nodeContractVersion = 1;

const functions = ['run', 'effect'] as const;
const optionalFunctions = ['prepare', 'probe', 'restore', 'missing', 'timeoutMs'] as const;
const reserved = new Set(['exec_in', '_disabled', 'in_doubt', 'unstorable']);

/**
 * @returns one sentence for each violation; empty for a node type that keeps to the contract
 * @example
 * checkNodeType({ type: 'Shout' }); // ['"Shout": run must be a function', ...]
 */
export function checkNodeType(candidate: unknown): readonly string[] {
  if (typeof candidate !== 'object' || candidate === null) return ['a node type must be an object'];
  const type = candidate as Partial<Record<keyof NodeType, unknown>>;
  const name = typeof type.type === 'string' ? `"${type.type}"` : 'a node type';
  const problems = [
    ...nameProblems(type),
    ...functionProblems(type),
    ...paramProblems(type),
    ...portProblems(type),
    ...wordProblems(type),
  ];
  if (problems.length === 0) problems.push(...effectProblems(type as unknown as NodeType));
  return problems.map((problem) => `${name}: ${problem}`);
}

type Candidate = Partial<Record<keyof NodeType, unknown>>;

function nameProblems({ type, category, description, aliases }: Candidate): string[] {
  const problems: string[] = [];
  if (typeof type !== 'string' || !/^[A-Za-z][A-Za-z0-9_]{0,79}$/.test(type)) {
    problems.push('type must be a name of letters, digits and _, such as "ShoutNode"');
  }
  if (typeof category !== 'string' || category === '') problems.push('category must be a text');
  if (typeof description !== 'string' || description === '') problems.push('description must be a sentence');
  if (aliases !== undefined && !isTextList(aliases)) problems.push('aliases must be a list of names');
  return problems;
}

function wordProblems({ outputsFrom, unstorable }: Candidate): string[] {
  const problems: string[] = [];
  if (outputsFrom !== undefined && outputsFrom !== 'params' && outputsFrom !== 'world') {
    problems.push('outputsFrom must be "params" or "world", or be left out');
  }
  if (unstorable !== undefined && unstorable !== 'rerun' && unstorable !== 'fail') {
    problems.push('unstorable must be "rerun" or "fail", or be left out');
  }
  return problems;
}

function functionProblems(type: Candidate): string[] {
  const problems: string[] = functions
    .filter((name) => typeof type[name] !== 'function')
    .map((name) => `${name} must be a function`);
  for (const name of optionalFunctions) {
    if (type[name] !== undefined && typeof type[name] !== 'function') {
      problems.push(`${name} must be a function, or be left out`);
    }
  }
  return problems;
}

function paramProblems({ params, rawParams }: Candidate): string[] {
  const schema = params as { readonly shape?: unknown; readonly safeParse?: unknown } | null | undefined;
  if (typeof schema?.shape !== 'object' || schema.shape === null || typeof schema.safeParse !== 'function') {
    return ['params must be a zod object: z.object({ ... }) of zod 4'];
  }
  const names = Object.keys(schema.shape);
  const problems = names.filter((name) => reserved.has(name)).map((name) => `the parameter name "${name}" is reserved`);
  if (rawParams !== undefined && !isTextList(rawParams)) problems.push('rawParams must be a list of parameter names');
  else {
    for (const name of (rawParams as readonly string[] | undefined) ?? []) {
      if (!names.includes(name)) problems.push(`rawParams names "${name}", which is no parameter`);
    }
  }
  return problems;
}

function portProblems({ outputs, exits }: Candidate): string[] {
  const problems: string[] = [];
  if (typeof outputs !== 'function' && !isTextList(outputs)) {
    problems.push('outputs must be a list of port names, or a function of the config');
  }
  if (exits !== undefined && typeof exits !== 'function' && !isTextList(exits)) {
    problems.push('exits must be a list of port names, or a function of the config');
  }
  if (isTextList(outputs) && isTextList(exits ?? ['exec_out'])) {
    const both = outputs.filter((port) => ((exits as readonly string[] | undefined) ?? ['exec_out']).includes(port));
    for (const port of both) problems.push(`"${port}" is both an output and an exit`);
  }
  return problems;
}

/** A type whose parameters all have defaults can be asked what it does. */
function effectProblems(type: NodeType): string[] {
  if (controlBehaviour(type) !== undefined) return [];
  const defaults = type.params.safeParse({});
  if (!defaults.success) return [];
  try {
    const effect: unknown = type.effect(defaults.data);
    if (effect === 'pure' || effect === 'idempotent' || effect === 'effect') return [];
    return [`effect must answer "pure", "idempotent" or "effect", but answers ${JSON.stringify(effect)}`];
  } catch (error) {
    return [`effect throws for the default parameters: ${error instanceof Error ? error.message : String(error)}`];
  }
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '');
}
