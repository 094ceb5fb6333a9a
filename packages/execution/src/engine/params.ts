/**
 * Parameters of a node: a connection wins over config, config (its templates resolved) over the type's
 * default; then the type's schema reads them. A null that comes through a connection or a reference wins over the
 * default only; a null that the config says itself means "not set".
 */
import { NodeError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { readParams } from '../model/node-params.ts';
import { takesAnyParam } from '../model/param-schema.ts';
import type { ReferenceScope } from '../model/reference-path.ts';
import { resolveTemplates } from '../model/templates.ts';
import type { NodeType } from '../node-contract.ts';
import type { FlowPlan, PortReference } from './flow-plan.ts';
import { outputsOf } from './lane-values.ts';
import type { Lane } from './run-state.ts';
import { isWithoutOutputs, outputSkipped } from './skipped-outputs.ts';

export interface InputReading {
  readonly plan: FlowPlan;
  readonly lane: Lane;
  readonly nodeId: string;
  readonly scope: ReferenceScope;
  readonly onUnknownReference: (reference: string) => void;
}

/** What the workflow gives: nothing here is parsed yet, all of it is JSON. */
export function readInputs(reading: InputReading): JsonObject {
  const type = reading.plan.typeOf(reading.nodeId);
  const inputs: [string, JsonValue][] = [];
  for (const name of inputNames(reading, type)) {
    const value = readInput(reading, name);
    if (value !== undefined) inputs.push([name, value]);
  }
  return Object.fromEntries(inputs);
}

/** The schema's own names; for an open schema, everything that the workflow gives besides. */
function inputNames({ plan, nodeId }: InputReading, type: NodeType): Iterable<string> {
  const declared = Object.keys(type.params.shape);
  if (!takesAnyParam(type)) return declared;
  const config = plan.workflow.nodes.get(nodeId)?.config ?? {};
  return new Set([...declared, ...Object.keys(config), ...plan.sourcesOf(nodeId).keys()]);
}

/**
 * One input, declared by the schema or not.
 *
 * @throws NodeError `OUTPUT_SKIPPED` when all that gives it is a node that was skipped in doubt
 */
export function readInput(reading: InputReading, name: string): JsonValue | undefined {
  const source = reading.plan.sourcesOf(reading.nodeId).get(name);
  const connected = connectedValue(source, reading.lane);
  const own = configured(reading, name);
  if (source !== undefined && connected === undefined && own === undefined) refuseSource(source, reading.lane);
  return connected ?? own ?? (connected === undefined ? own : connected);
}

function refuseSource({ node, port }: PortReference, lane: Lane): void {
  if (isWithoutOutputs(lane, node)) throw outputSkipped(`the output "${port}" of the node "${node}"`, node);
}

function configured(reading: InputReading, name: string): JsonValue | undefined {
  const { plan, nodeId } = reading;
  const config = plan.workflow.nodes.get(nodeId)?.config ?? {};
  const raw = Object.hasOwn(config, name) ? config[name] : undefined;
  if (raw === undefined || raw === null) return undefined;
  if (plan.typeOf(nodeId).rawParams?.includes(name)) return raw;
  return resolveTemplates(raw, reading.scope, reading.onUnknownReference);
}

/** What a connection brings; undefined while its node has not run. */
export function connectedValue(source: PortReference | undefined, lane: Lane): JsonValue | undefined {
  const values = source === undefined ? undefined : outputsOf(lane, source.node);
  return source !== undefined && values !== undefined && Object.hasOwn(values, source.port)
    ? values[source.port]
    : undefined;
}

/** @throws NodeError `INVALID_INPUT`, in a plain sentence that names the fields */
export function parseInputs(type: NodeType, inputs: JsonObject): Readonly<Record<string, unknown>> {
  const reading = readParams(type, inputs);
  if (reading.ok) return reading.params;
  const sentences = reading.problems.slice(0, 5).map(({ param, problem }) => `"${param}" ${problem}`);
  throw new NodeError(`${sentences.join('; ')}.`, {
    code: 'INVALID_INPUT',
    errorType: 'ValueError',
    details: { fields: reading.problems.map(({ param }) => param) },
  });
}
