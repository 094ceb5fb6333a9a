import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkWorkflow, type WorkflowCheck } from '../../src/model/check-workflow.ts';
import { findingCodes } from '../../src/model/finding.ts';
import { entryNodes } from '../../src/model/flow-graph.ts';
import { check, file, type NodeSpec, registry } from './sample-nodes.ts';

/** What holds for every answer, whatever the input. */
function expectSound(answer: WorkflowCheck): void {
  const { workflow, findings } = answer;
  expect(findings.some((finding) => finding.severity === 'error')).toBe(workflow === null);
  for (const finding of findings) {
    expect(Object.hasOwn(findingCodes, finding.code)).toBe(true);
    expect(finding.message.length).toBeGreaterThan(10);
    expect(finding.message.length).toBeLessThanOrEqual(600);
    expect(finding.message).not.toMatch(/undefined|\[object Object\]|ZodError|invalid_type/);
  }
  if (workflow === null) return;
  for (const node of workflow.nodes.values()) expect(registry.has(node.type)).toBe(true);
  for (const connection of workflow.connections) {
    expect(workflow.nodes.has(connection.sourceNode)).toBe(true);
    expect(workflow.nodes.has(connection.targetNode)).toBe(true);
  }
  expect(entryNodes(workflow).length).toBeGreaterThan(0);
  expect(JSON.stringify(workflow.variables)).toBeDefined();
}

const ids = ['s', 'loop', 'body', 'end', 'if', 't', 'c', 'w', '__proto__', 'constructor', ''];
const id = fc.constantFrom(...ids);
const types = [
  ...registry.list().map((type) => type.type),
  'ExcelOpenNode',
  'WebhookTriggerNode',
  'HttpBaseNode',
  'Nope',
];
const ports = [
  'exec_out',
  'exec_in',
  'body',
  'completed',
  'true',
  'false',
  'try_body',
  'catch_body',
  'result',
  'a',
  'data',
];
const anything = fc.jsonValue({ maxDepth: 3 });
const texts = fc.oneof(
  fc.constantFrom(
    '{{w.success}}',
    '{{w.nope}}',
    '${x}',
    '%y%',
    '1 <',
    'x > {{s.a.b}}',
    '__proto__',
    '',
    '5',
    'true',
    '[1',
  ),
  fc.string(),
);
const config = fc.dictionary(
  fc.oneof(
    fc.constantFrom('file_path', 'content', 'condition', 'expression', 'paired_start_id', 'paired_try_id', 'items'),
    fc.constantFrom('cases', 'action', 'level', '_disabled', 'retry_count', 'variable_name', 'mode', 'step'),
    fc.string(),
  ),
  fc.oneof(texts, id, anything),
);
const node = fc.oneof(
  { weight: 5, arbitrary: fc.record({ node_type: fc.constantFrom(...types), config }) },
  {
    weight: 1,
    arbitrary: fc.record({ node_id: anything, node_type: anything, config: anything }, { requiredKeys: [] }),
  },
  { weight: 1, arbitrary: anything },
);
const port = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...ports) }, { weight: 1, arbitrary: anything });
const connection = fc.oneof(
  { weight: 9, arbitrary: fc.record({ source_node: id, source_port: port, target_node: id, target_port: port }) },
  { weight: 1, arbitrary: anything },
);
const workflowLike = fc.record(
  {
    metadata: anything,
    nodes: fc.oneof(fc.dictionary(id, node), fc.array(node), anything),
    connections: fc.oneof(fc.array(connection, { maxLength: 30 }), anything),
    variables: fc.oneof(
      fc.dictionary(fc.string(), fc.record({ type: texts, default_value: anything }, { requiredKeys: [] })),
      anything,
    ),
    settings: anything,
  },
  { requiredKeys: ['nodes'] },
);

const valid = file(
  {
    s: ['StartNode'],
    loop: ['ForLoopStartNode', { items: '{{rows}}' }],
    if: ['IfNode', { condition: '{{loop.current_item}} > 1' }],
    t: ['TryNode', { paired_catch_id: 'c' }],
    w: ['WriteFileNode', { file_path: 'a.txt', content: '{{loop.current_item}}' }],
    c: ['CatchNode', { paired_try_id: 't' }],
    b: ['BreakNode', { paired_loop_start_id: 'loop' }],
    end: ['ForLoopEndNode', { paired_start_id: 'loop' }],
    l: ['LogNode', { message: 'done' }],
  },
  [
    's -> loop',
    'loop.body -> if',
    'if.true -> t',
    't.try_body -> w',
    'c.catch_body -> b',
    't -> end',
    'loop.completed -> l',
  ],
  { variables: { rows: { type: 'List', default_value: [1, 2] } }, settings: { timeout: 60 } },
);

describe('checkWorkflow', { timeout: 60_000 }, () => {
  it('answers any JSON value without throwing', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.jsonValue(), fc.anything({ withBigInt: true, withDate: true, withMap: true })),
        (source) => {
          expectSound(check(source));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('answers any text without throwing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => expectSound(check(text))),
      { numRuns: 300 },
    );
  });

  it('answers anything that resembles a workflow', () => {
    fc.assert(
      fc.property(workflowLike, (source) => {
        expectSound(check(source));
        expectSound(check(JSON.stringify(source)));
      }),
      { numRuns: 300 },
    );
  });

  it('answers a sound workflow with any one part replaced, and the text of it with any piece cut out', () => {
    expect(check(valid)).toMatchObject({ findings: [] });
    const text = JSON.stringify(valid);
    const paths = pathsOf(valid);
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.oneof(anything, texts, id), (path, value) => {
        expectSound(check(replaced(valid, path, value)));
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(20), fc.string({ maxLength: 3 }), (at, length, inserted) => {
        expectSound(check(text.slice(0, at) + inserted + text.slice(at + length)));
      }),
      { numRuns: 500 },
    );
  });
});

/** Many times what the check takes on an idle machine; what grows with the square of its input takes far longer. */
const TEST_TIMEOUT_MS = 30_000;

describe('the largest permitted file', { timeout: TEST_TIMEOUT_MS }, () => {
  const names = Array.from({ length: 1_000 }, (_, index) => `node_${index}_with_a_long_name`);
  const nodesOf = (spec: (index: number) => NodeSpec) =>
    Object.fromEntries(names.map((name, index) => [name, spec(index)]));
  const chain = (count: number) =>
    Array.from({ length: count }, (_, index) => `${names[index % 1_000]} -> ${names[(index * 7 + 1) % 1_000]}`);

  it.each<[string, () => object]>([
    [
      'a plain chain',
      () =>
        file(
          nodesOf(() => ['LogNode', { message: 'x' }]),
          names.slice(1).map((name, index) => `${names[index]} -> ${name}`),
        ),
    ],
    [
      'a dense graph full of cycles',
      () =>
        file(
          nodesOf(() => ['LogNode']),
          chain(5_000),
        ),
    ],
    ['nothing but unknown types', () => file(nodesOf((index) => [`SetVarible${index}Node`]))],
    [
      'nothing but unknown nodes and ports',
      () =>
        file(
          nodesOf(() => ['LogNode']),
          Array.from({ length: 5_000 }, (_, index) => `nope_${index}.exit -> nobody_${index}.in`),
        ),
    ],
    [
      'nested loops',
      () =>
        file(
          nodesOf(() => ['ForLoopStartNode', { items: [1] }]),
          names.slice(1).map((name, index) => `${names[index]}.body -> ${name}`),
        ),
    ],
    [
      'loops that all lead back to all others',
      () =>
        file(
          nodesOf(() => ['ForLoopStartNode', { items: [1] }]),
          Array.from(
            { length: 5_000 },
            (_, index) => `${names[index % 1_000]}.body -> ${names[(index * 31 + 3) % 1_000]}`,
          ),
        ),
    ],
    [
      'unpaired ends',
      () => file(nodesOf((index) => ['ForLoopEndNode', { paired_start_id: `node_${index}_wiht_a_long_name` }])),
    ],
    [
      'misspelled keys',
      () =>
        file(
          nodesOf(() => [
            'WriteFileNode',
            Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`file_pat${index}`, 1])),
          ]),
        ),
    ],
    [
      'references',
      () =>
        file(
          nodesOf((index) => [
            'LogNode',
            {
              message: names
                .slice(0, 130)
                .map((name) => `{{${name}.nope${index}}}`)
                .join(''),
            },
          ]),
        ),
    ],
    ['one huge text', () => file({ a: ['LogNode', { message: '{{a.b}} %c% ${d} '.repeat(250_000) }] })],
    ['long lists', () => file({ a: ['LogNode', { data: Array.from({ length: 400_000 }, () => ['{{x}}']) }] })],
    [
      'break nodes',
      () =>
        file(
          nodesOf((index) => (index < 500 ? ['ForLoopStartNode', { items: [1] }] : ['BreakNode'])),
          names.slice(1).map((name, index) => `${names[index]}.${index < 500 ? 'body' : 'exec_out'} -> ${name}`),
        ),
    ],
  ])('with %s is checked at once', (_, make) => {
    const text = JSON.stringify(make());
    expect(text.length).toBeLessThan(5_242_880);
    expect(checkWorkflow(text, registry).findings.length).toBeLessThan(10_000);
  });

  it('of brackets, quotes or backslashes alone is refused at once', () => {
    for (const piece of ['[', '{"a":', '"', '\\', '"\\', '{"a":1,"a":1,', ' ']) {
      expect(check(piece.repeat(5_000_000 / piece.length)).workflow).toBeNull();
    }
  });
});

function pathsOf(value: unknown): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [[key], ...pathsOf(inner).map((path) => [key, ...path])]);
}

function replaced(value: unknown, path: readonly string[], replacement: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return replacement;
  const inner = replaced((value as Record<string, unknown>)[key], rest, replacement);
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === key ? inner : item));
  return { ...(value as object), [key]: inner };
}
