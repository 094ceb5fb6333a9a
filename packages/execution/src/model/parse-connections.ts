/** Reads the connections of a file, in the designer's form and in its older ones. */
import type { JsonObject, JsonValue } from '../json.ts';
import type { DraftConnection } from './draft.ts';
import { type FindingList, quoted } from './finding.ts';
import type { WorkflowLimits } from './limits.ts';
import { isJsonObject, kindOf } from './value-text.ts';
import type { Connection } from './workflow.ts';

/** The four parts of a connection, as the designer's keys name them. */
const keys = {
  sourceNode: 'source_node',
  sourcePort: 'source_port',
  targetNode: 'target_node',
  targetPort: 'target_port',
};

/** The same parts as templates of the designer write them; there, control ports are called `out` and `in`. */
const templateKeys = { sourceNode: 'from_node', sourcePort: 'from_port', targetNode: 'to_node', targetPort: 'to_port' };

export function parseConnections(
  source: JsonValue | undefined,
  limits: WorkflowLimits,
  findings: FindingList,
): readonly DraftConnection[] {
  if (source === undefined || source === null) return [];
  if (!Array.isArray(source)) {
    findings.error('INVALID_STRUCTURE', `"connections" must be a list, but is ${kindOf(source)}.`, {
      field: 'connections',
    });
    return [];
  }
  if (source.length > limits.maxConnections) {
    findings.error(
      'TOO_MANY_CONNECTIONS',
      `The workflow has ${source.length} connections; at most ${limits.maxConnections} are allowed.`,
      { field: 'connections', suggestion: 'Divide it into several workflows.' },
    );
    return [];
  }
  return source.flatMap((item: JsonValue, index): DraftConnection[] => {
    const connection = parseConnection(item, index, findings);
    return connection === undefined ? [] : [{ ...connection, index }];
  });
}

function parseConnection(source: JsonValue, index: number, findings: FindingList): Connection | undefined {
  const field = `connections[${index}]`;
  if (!isJsonObject(source)) {
    findings.error('INVALID_CONNECTION', `${field} must be an object, but is ${kindOf(source)}.`, { field });
    return undefined;
  }
  const parts = fromPairs(source) ?? fromTemplate(source) ?? pick(source, keys);
  const missing = Object.entries(keys).find(([part]) => {
    const value = parts[part as keyof Connection];
    return typeof value !== 'string' || value === '';
  });
  if (missing === undefined) return parts as Connection;
  const [part, key] = missing;
  const value = parts[part as keyof Connection];
  const fault =
    value === undefined || value === null || value === '' ? 'is missing' : `must be text, but is ${kindOf(value)}`;
  const node = [parts.sourceNode, parts.targetNode].find((id) => typeof id === 'string' && id !== '');
  const owner = typeof node === 'string' ? ` (at node ${quoted(node)})` : '';
  findings.error('INVALID_CONNECTION', `"${key}" of ${field}${owner} ${fault}.`, {
    node: typeof node === 'string' ? node : null,
    field: `${field}.${key}`,
  });
  return undefined;
}

type Parts = { readonly [Part in keyof Connection]: JsonValue | undefined };

/** Older files: `{"out": [node, port], "in": [node, port]}`. */
function fromPairs(source: JsonObject): Parts | undefined {
  const { out, in: into } = source;
  if (!Array.isArray(out) || !Array.isArray(into)) return undefined;
  return { sourceNode: text(out[0]), sourcePort: text(out[1]), targetNode: text(into[0]), targetPort: text(into[1]) };
}

function fromTemplate(source: JsonObject): Parts | undefined {
  if (!Object.hasOwn(source, templateKeys.sourceNode)) return undefined;
  const parts = pick(source, templateKeys);
  return {
    ...parts,
    sourcePort: parts.sourcePort === 'out' ? 'exec_out' : parts.sourcePort,
    targetPort: parts.targetPort === 'in' ? 'exec_in' : parts.targetPort,
  };
}

function pick(source: JsonObject, names: Readonly<Record<keyof Connection, string>>): Parts {
  return {
    sourceNode: text(source[names.sourceNode]),
    sourcePort: text(source[names.sourcePort]),
    targetNode: text(source[names.targetNode]),
    targetPort: text(source[names.targetPort]),
  };
}

/** Ids that were written as numbers are the same ids as text. */
function text(value: JsonValue | undefined): JsonValue | undefined {
  return typeof value === 'number' ? String(value) : value;
}
