/** The published JSON Schema against the validator, by a JSON Schema validator of others (ajv). */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/json.ts';
import { checkWorkflow, type WorkflowCheck } from '../../src/model/check-workflow.ts';
import { workflowJsonSchema } from '../../src/model/json-schema/workflow-json-schema.ts';
import { createNodeRegistry } from '../../src/model/registry.ts';
import { isJsonObject } from '../../src/model/value-text.ts';
import { corpus, fullRegistry } from './corpus.ts';
import { structuralMutant } from './mutate.ts';
import { Random } from './random.ts';

const ajv = new Ajv2020({ strict: false, allErrors: false });
const schema = workflowJsonSchema(fullRegistry);
const accepts = ajv.compile(schema);

const files = Number(process.env.CASARE_FUZZ_FILES ?? 500);

/** Findings that are about the shape of the file, which the schema describes in full. */
const shapeCodes = new Set([
  'INVALID_STRUCTURE',
  'EMPTY_WORKFLOW',
  'INVALID_NODE',
  'INVALID_CONNECTION',
  'INVALID_SETTING',
]);

function hasShapeError({ findings }: WorkflowCheck): boolean {
  return findings.some(({ code, severity }) => severity === 'error' && shapeCodes.has(code));
}

/** A connection may stand in for a config value that does not fit; the schema cannot see it. */
function hasConnectedConfig({ workflow }: WorkflowCheck): boolean {
  return (
    workflow?.connections.some(({ targetNode, targetPort }) =>
      Object.hasOwn(workflow.nodes.get(targetNode)?.config ?? {}, targetPort),
    ) ?? false
  );
}

describe('the JSON Schema of the file format', () => {
  it('is a schema of draft 2020-12', () => {
    expect(ajv.validateSchema(schema)).toBe(true);
  });

  it('accepts every example and every form of a file that the validator accepts', () => {
    for (const file of corpus) expect(accepts(file), ajv.errorsText(accepts.errors)).toBe(true);
  });

  it('knows the choices and kinds of config values, and lets templates and text in their place', () => {
    const withConfig = (type: string, config: JsonValue): JsonValue => ({
      nodes: { a: { node_type: type, config } },
      connections: [],
    });
    expect(accepts(withConfig('ForLoopStartNode', { mode: 'items' }))).toBe(true);
    expect(accepts(withConfig('ForLoopStartNode', { mode: 'Items' }))).toBe(true);
    expect(accepts(withConfig('ForLoopStartNode', { mode: '{{mode}}' }))).toBe(true);
    expect(accepts(withConfig('ForLoopStartNode', { mode: 'itmes' }))).toBe(false);
    expect(accepts(withConfig('ForLoopStartNode', { mode: 'itmes', _disabled: true }))).toBe(true);
    expect(accepts(withConfig('SomethingElseNode', { mode: 'itmes' }))).toBe(true);
    expect(accepts(withConfig('WhileLoopStartNode', { condition: 'true', max_iterations: '5' }))).toBe(true);
    expect(accepts(withConfig('WhileLoopStartNode', { condition: 'true', max_iterations: 'many' }))).toBe(false);
  });

  it(`agrees with the validator about shapes (${files} mutated files)`, { timeout: 60_000 + files * 20 }, () => {
    let misshapen = 0;
    for (let seed = 1; seed <= files; seed += 1) {
      const random = new Random(seed);
      const file = structuralMutant(random.of(corpus), random);
      const answer = checkWorkflow(file, fullRegistry);
      const isAccepted = accepts(JSON.parse(JSON.stringify(file)));
      const about = (): string => `seed ${seed}: ${JSON.stringify(answer.findings)} ${ajv.errorsText(accepts.errors)}`;
      if (hasShapeError(answer)) {
        misshapen += 1;
        if (isAccepted) expect.fail(`the schema accepts what the validator refuses; ${about()}`);
      } else if (answer.workflow !== null && !isAccepted && !hasConnectedConfig(answer)) {
        expect.fail(`the schema refuses what the validator accepts; ${about()}`);
      }
    }
    expect(misshapen).toBeGreaterThan(files / 50);
  });

  it('is published as a file, which is up to date', async () => {
    const text = `${JSON.stringify(workflowJsonSchema(createNodeRegistry([])), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot('../../workflow.schema.json');
    await expect(text).toMatchFileSnapshot('../../../../docs/workflow.schema.json');
  });

  it('says of each parameter what its default is', () => {
    const definitions = schema.$defs;
    const loop = isJsonObject(definitions) ? definitions['config:WhileLoopStartNode'] : null;
    expect(loop).toMatchObject({ properties: { max_iterations: { default: 1000 } } });
  });
});
