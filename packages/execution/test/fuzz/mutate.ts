/**
 * Mutants of workflow files: changes of the JSON that know what a workflow is made of, and changes of its bytes
 * that know nothing.
 */
import type { JsonValue } from '../../src/json.ts';
import type { Random } from './random.ts';

/** Names, values and texts that mean something to the validator or the engine, or that are hostile. */
const words: readonly JsonValue[] = [
  ...[null, true, false, 0, -1, 1, 3.5, 1e21, '', ' ', 'true', '0', '30', '1e3', 'x'.repeat(300)],
  ...['exec_in', 'exec_out', 'body', 'completed', 'true', 'false', 'try_body', 'catch_body', 'default', 'case_0'],
  ...['retry_body', 'success', 'failed', 'protected_body', 'on_error', 'finally', 'branch_1', 'value', 'items', 'in'],
  ...['{{x}}', '{{start.nope}}', '${x}', '%x%', '{{', '{{a.b[0].c}}', '{{$secret:k}}', '$currentDate'],
  ...['1 <', '__import__("os")', 'a'.repeat(60), '((((1))))', 'len(x) > 2', 'not', '9**9**9', '[1,2', '{"a":'],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', '../x', 'sub/inner', '\u0000', '\ud800', '🦊'],
  ...[
    'StartNode',
    'EndNode',
    'IfNode',
    'ForLoopStartNode',
    'WhileLoopStartNode',
    'TryNode',
    'CatchNode',
    'FinallyNode',
  ],
  ...['BreakNode', 'RetryNode', 'OnErrorNode', 'SubflowNode', 'ExcelOpenNode', 'ManualTriggerNode', 'HttpBaseNode'],
  ...['ForLoopNode', 'SwitchNode', 'SetVariableNode', 'JoinNode', 'ForkNode', 'LogNode', 'LgoNode', 'Nope'],
  ...[[], {}, [[]], [null], { type: 'Integer', default_value: 'x' }, { default_value: 1, type: 'Strng' }],
];

const keys: readonly string[] = [
  ...['metadata', 'nodes', 'connections', 'variables', 'settings', 'subworkflows', 'name', 'node_id', 'node_type'],
  ...['config', 'source_node', 'source_port', 'target_node', 'target_port', 'condition', 'expression', 'items'],
  ...['paired_try_id', 'paired_catch_id', 'paired_start_id', 'paired_loop_start_id', '_disabled', 'timeout'],
  ...[
    'retry_count',
    'stop_on_error',
    'variable_name',
    'mode',
    'end',
    'step',
    'max_iterations',
    '__proto__',
    'subflow_path',
  ],
];

type Container = JsonValue[] | Record<string, JsonValue>;

/** A mutant of a file, as text: `changes` random changes of its structure, now and then of its bytes, too. */
export function mutant(file: JsonValue, random: Random): string {
  const copy = structuredClone(file) as JsonValue;
  const changes = 1 + random.below(4);
  for (let change = 0; change < changes; change += 1) mutateSomewhere(copy, random);
  const text = JSON.stringify(copy, null, random.below(3));
  return random.below(5) === 0 ? mutateBytes(text, random) : text;
}

/** A mutant that is still JSON, as a value. */
export function structuralMutant(file: JsonValue, random: Random): JsonValue {
  const copy = structuredClone(file) as JsonValue;
  mutateSomewhere(copy, random);
  return copy;
}

function mutateSomewhere(file: JsonValue, random: Random): void {
  const containers = containersIn(file);
  const chosen = random.of(containers);
  if (Array.isArray(chosen)) mutateList(chosen, containers, random);
  else mutateObject(chosen, containers, random);
}

function containersIn(value: JsonValue): Container[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value as Container, ...Object.values(value).flatMap((inner: JsonValue) => containersIn(inner))];
}

function mutateList(list: JsonValue[], others: readonly Container[], random: Random): void {
  const at = random.below(list.length + 1);
  switch (random.below(5)) {
    case 0:
      list.splice(at, 1);
      return;
    case 1:
      list.splice(at, 0, structuredClone(list[random.below(Math.max(1, list.length))] ?? null));
      return;
    case 2:
      list[at] = randomValue(others, random);
      return;
    case 3:
      list.reverse();
      return;
    default:
      list.splice(at, 0, randomValue(others, random));
  }
}

function mutateObject(object: Record<string, JsonValue>, others: readonly Container[], random: Random): void {
  const own = Object.keys(object);
  const key = own.length === 0 ? random.of(keys) : random.of(own);
  switch (random.below(6)) {
    case 0:
      delete object[key];
      return;
    case 1:
      set(object, key, randomValue(others, random));
      return;
    case 2:
      set(object, random.of(keys), randomValue(others, random));
      return;
    case 3: {
      const value = object[key] ?? null;
      delete object[key];
      set(object, misspelled(key, random), value);
      return;
    }
    case 4: {
      const other = random.of(own.length === 0 ? [key] : own);
      const value = object[key] ?? null;
      set(object, key, object[other] ?? null);
      set(object, other, value);
      return;
    }
    default:
      if (typeof object[key] === 'string') set(object, key, misspelled(object[key], random));
      else set(object, key, randomValue(others, random));
  }
}

function set(object: Record<string, JsonValue>, key: string, value: JsonValue): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

/** A word, or a piece of the file itself, which must not be put into itself. */
function randomValue(others: readonly Container[], random: Random): JsonValue {
  if (random.below(4) > 0) return structuredClone(random.of(words));
  const piece = random.of(others);
  return JSON.stringify(piece).length > 2_000 ? null : structuredClone(piece);
}

function misspelled(text: string, random: Random): string {
  const at = random.below(text.length + 1);
  if (random.below(2) === 0) return text.slice(0, at) + text.slice(at + 1);
  return text.slice(0, at) + random.of(['x', '_', '.', '{', '"', '0', '/', 'é']) + text.slice(at);
}

const bytes = ['{', '}', '[', ']', '"', ',', ':', '\\', '\n', '\u0000', '0', '-', 'e', 't', '\ufeff', '\\u', '/*', "'"];

function mutateBytes(text: string, random: Random): string {
  const at = random.below(text.length);
  const length = random.below(20);
  switch (random.below(5)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + text.slice(at + length);
    case 2:
      return text.slice(0, at) + text.slice(at, at + length).repeat(3) + text.slice(at + length);
    case 3:
      return text.slice(0, at) + random.of(bytes) + text.slice(at + 1);
    default:
      return text.slice(0, at) + random.of(bytes) + text.slice(at);
  }
}
