/** The outermost stage: the file's text or JSON becomes an object that holds nodes. */
import type { JsonObject, JsonValue } from '../json.ts';
import { type FindingList, quoted } from './finding.ts';
import type { WorkflowLimits } from './limits.ts';
import { type DuplicateKey, readJson } from './read-json.ts';
import { isJsonObject, kindOf } from './value-text.ts';

export interface WorkflowFile {
  readonly content: JsonObject;
  /** An object's keys in the order of the file. */
  readonly keysOf: (object: object) => readonly string[];
}

/** Undefined when the file cannot be read at all; the findings say why. */
export function readFile(source: unknown, limits: WorkflowLimits, findings: FindingList): WorkflowFile | undefined {
  const text = typeof source === 'string' ? source : jsonText(source, findings);
  if (text === undefined) return undefined;
  const bytes = text.length > limits.maxFileBytes ? text.length : Buffer.byteLength(text);
  if (bytes > limits.maxFileBytes) {
    findings.error(
      'FILE_TOO_LARGE',
      `The workflow file has more than ${limits.maxFileBytes} bytes, which is the most allowed.`,
      { suggestion: 'Keep large data in files of their own, and read them in the workflow.' },
    );
    return undefined;
  }
  if (text.trim() === '') {
    findings.error('INVALID_JSON', 'The file is empty.', {
      suggestion: 'Save the workflow into it again, or name another file.',
    });
    return undefined;
  }
  const reading = readJson(text);
  if (!reading.ok) {
    const { line, column } = reading.place;
    const code = reading.problem === 'depth' ? 'FILE_TOO_DEEP' : 'INVALID_JSON';
    findings.error(code, `The file is not readable as JSON: line ${line}, column ${column}: ${reading.message}.`, {
      suggestion: `Mend line ${line}.`,
    });
    return undefined;
  }
  if (!isJsonObject(reading.value)) {
    findings.error(
      'INVALID_STRUCTURE',
      `A workflow is a JSON object with "nodes" and "connections", but this is ${kindOf(reading.value)}.`,
    );
    return undefined;
  }
  for (const duplicate of reading.duplicates) reportDuplicate(duplicate, findings);
  return { content: unwrapped(reading.value), keysOf: reading.keysOf };
}

/** JSON that was parsed already is written again, so that what is not JSON in it (functions, cycles) shows. */
function jsonText(source: unknown, findings: FindingList): string | undefined {
  try {
    const text: string | undefined = JSON.stringify(source);
    if (text !== undefined) return text;
  } catch {
    findings.error('INVALID_JSON', 'The workflow is not plain JSON: it refers to itself, or holds what JSON cannot.');
    return undefined;
  }
  findings.error('INVALID_STRUCTURE', `A workflow is a JSON object, but this is ${kindOf(source)}.`);
  return undefined;
}

/** The designer's scenario files hold the workflow in a key of their own; so do its templates. */
export function unwrapped(content: JsonObject): JsonObject {
  if (Object.hasOwn(content, 'nodes')) return content;
  for (const key of ['workflow', 'base_workflow', 'workflow_definition']) {
    const inner = Object.hasOwn(content, key) ? content[key] : undefined;
    if (!isJsonObject(inner) || !Object.hasOwn(inner, 'nodes')) continue;
    const isOutside = Object.hasOwn(content, 'subworkflows') && !Object.hasOwn(inner, 'subworkflows');
    return isOutside ? { ...inner, subworkflows: content.subworkflows ?? null } : inner;
  }
  return content;
}

/** Two nodes of one id are one lost node; elsewhere a doubled key is only suspicious. */
function reportDuplicate({ path, key, line }: DuplicateKey, findings: FindingList): void {
  const isNode = path.at(-1) === 'nodes' && path.length <= 2;
  const where = path.length === 0 ? 'the file' : quoted(path.join('.'));
  const message = `The key ${quoted(key)} appears twice in ${where} (line ${line}); JSON keeps only the last one.`;
  if (isNode) findings.error('DUPLICATE_NODE_ID', message, { node: key, field: 'nodes' });
  else findings.warning('DUPLICATE_KEY', message, { field: fieldOf(path, key), node: nodeOf(path) });
}

function fieldOf(path: readonly (string | number)[], key: string): string {
  const inNode: JsonValue = path[0] === 'nodes' && path.length > 2;
  return inNode ? key : [...path, key].join('.').slice(0, 200);
}

function nodeOf(path: readonly (string | number)[]): string | null {
  return path[0] === 'nodes' && typeof path[1] === 'string' ? path[1] : null;
}
