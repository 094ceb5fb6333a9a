/** Node types for the tests of the model, besides the control-flow types that every registry has. */
import { z } from 'zod';
import { checkWorkflow, type WorkflowCheck } from '../../src/model/check-workflow.ts';
import type { Finding, FindingCode } from '../../src/model/finding.ts';
import { createNodeRegistry, type NodeRegistry } from '../../src/model/registry.ts';
import { defineNode, type NodeType } from '../../src/node-contract.ts';

const run = () => Promise.resolve({});
const effect = () => 'effect' as const;

export const writeFile: NodeType = defineNode({
  type: 'WriteFileNode',
  category: 'file',
  description: 'Writes a file.',
  params: z.object({
    file_path: z.string(),
    content: z.string().optional(),
    encoding: z.enum(['utf-8', 'latin-1']).default('utf-8'),
    max_size: z.number().min(0).default(0),
    append_mode: z.boolean().default(false),
    lines: z.array(z.string()).default([]),
    headers: z.record(z.string(), z.json()).default({}),
  }),
  outputs: ['file_path', 'bytes_written', 'success'],
  effect,
  run,
});

export const log: NodeType = defineNode({
  type: 'LogNode',
  category: 'utility',
  description: 'Logs a message.',
  params: z.object({
    message: z.string().default(''),
    level: z.enum(['debug', 'info', 'warning', 'error', 'critical']).default('info'),
    data: z.json().optional(),
  }),
  outputs: [],
  effect: () => 'pure',
  run,
});

export const waitNode: NodeType = defineNode({
  type: 'WaitNode',
  category: 'utility',
  description: 'Waits.',
  params: z.object({ duration: z.number().default(1) }),
  outputs: [],
  unbounded: true,
  effect: () => 'pure',
  run,
});

export const compareNode: NodeType = defineNode({
  type: 'ComparisonNode',
  category: 'data',
  description: 'Compares.',
  params: z.object({ a: z.json().optional(), b: z.json().optional(), operator: z.string().default('==') }),
  outputs: ['result'],
  effect: () => 'pure',
  run,
});

/** Ports that depend on the config, as those of the super nodes do; a wrong action makes it throw. */
export const superNode: NodeType = defineNode({
  type: 'FileSystemSuperNode',
  category: 'file',
  description: 'Several file actions.',
  params: z.object({ action: z.enum(['Read File', 'File Exists']).default('Read File'), path: z.string().default('') }),
  outputs: (config) => {
    const action = config.action ?? 'Read File';
    if (typeof action !== 'string') throw new TypeError('action');
    return action === 'File Exists' ? ['exists', 'is_file'] : ['content', 'size'];
  },
  effect,
  run,
});

export const anyNode: NodeType = defineNode({
  type: 'AnyInputsNode',
  category: 'data',
  description: 'Takes any input.',
  params: z.looseObject({ name: z.string().default('') }),
  outputs: ['result'],
  effect: () => 'pure',
  run,
});

const ways = ['mail', 'fax'] as const;

/** Reads its words by itself and names them in its metadata; one of them makes another parameter necessary. */
export const sendNode: NodeType = defineNode({
  type: 'SendNode',
  category: 'test',
  description: 'Sends something.',
  params: z.object({
    way: z
      .unknown()
      .refine((way) => way === undefined || ways.some((word) => word === way), 'must be mail or fax')
      .meta({ choices: ways }),
    address: z.string().default(''),
  }),
  outputs: [],
  missing({ way, address = '' }, isConnected) {
    if (typeof way !== 'string') throw new TypeError('way');
    const isMissing = way === 'mail' && address === '' && !isConnected('address');
    return isMissing ? [{ param: 'address', purpose: 'for sending by mail' }] : [];
  },
  effect,
  run,
});

export const openBrowser: NodeType = defineNode({
  type: 'LaunchBrowserNode',
  aliases: ['StartBrowserNode'],
  category: 'browser',
  description: 'Opens a browser.',
  params: z.object({ url: z.string().default(''), headless: z.boolean().default(true) }),
  outputs: ['browser', 'page'],
  effect,
  run,
});

export const registry: NodeRegistry = createNodeRegistry([
  writeFile,
  log,
  waitNode,
  compareNode,
  superNode,
  anyNode,
  sendNode,
  openBrowser,
]);

export type NodeSpec = readonly [type: string, config?: Record<string, unknown>];

/** A workflow file with these nodes; connections are written `a -> b` (control), `a.port -> b.port`. */
export function file(nodes: Record<string, NodeSpec>, connections: readonly string[] = [], rest: object = {}): object {
  return {
    metadata: { name: 'test' },
    nodes: Object.fromEntries(
      Object.entries(nodes).map(([id, [type, config = {}]]) => [
        id,
        { node_id: id, node_type: type, config, position: [0, 0] },
      ]),
    ),
    connections: connections.map(connection),
    ...rest,
  };
}

function connection(text: string): object {
  const [from = '', to = ''] = text.split(' -> ');
  const [source_node, source_port = 'exec_out'] = from.split('.');
  const [target_node, target_port = 'exec_in'] = to.split('.');
  return { source_node, source_port, target_node, target_port };
}

/** Variables that the jobs of samples are started with, though no sample declares them. */
const given = { m: 'items', n: 1, path: '/tmp', rows: [], which: 'a' };

export function check(source: unknown): WorkflowCheck {
  return checkWorkflow(source, registry, {}, given);
}

export function findingsOf(source: unknown): readonly Finding[] {
  return check(source).findings;
}

export function codesOf(source: unknown): readonly FindingCode[] {
  return findingsOf(source).map((finding) => finding.code);
}

/** The only finding; the test fails when there is another. */
export function onlyFinding(source: unknown): Finding {
  const findings = findingsOf(source);
  if (findings.length !== 1 || findings[0] === undefined) {
    throw new Error(`expected one finding, got ${JSON.stringify(findings, null, 1)}`);
  }
  return findings[0];
}
