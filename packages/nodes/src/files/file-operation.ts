/**
 * One thing to do with files, apart from the node type that offers it: the single-purpose nodes and
 * FileSystemSuperNode share these.
 */
import type { ZodObject, z } from 'zod';
import { defineNode } from '../define-node.ts';
import type { EffectKind, JsonValue, NodeContext, NodeResult, NodeType, ProbeVerdict } from '../ports.ts';

/** What an operation needs of a node's context. */
export type FileContext = Pick<NodeContext, 'resolvePath' | 'signal' | 'idempotencyKey'>;

export interface FileOperation<Schema extends ZodObject = ZodObject> {
  readonly params: Schema;
  readonly outputs: readonly string[];
  effect(params: z.output<Schema>): EffectKind;
  prepare?(params: z.output<Schema>, ctx: FileContext): Promise<JsonValue>;
  run(params: z.output<Schema>, ctx: FileContext): Promise<NodeResult>;
  probe?(params: z.output<Schema>, evidence: JsonValue, ctx: FileContext): Promise<ProbeVerdict>;
}

/** Keeps the parameter types of a definition. */
export function fileOperation<Schema extends ZodObject>(definition: FileOperation<Schema>): FileOperation<Schema> {
  return definition;
}

/** A node type that does one operation. */
export function fileNode(type: string, description: string, operation: FileOperation): NodeType {
  const { prepare, probe } = operation;
  return defineNode({
    type,
    category: 'file',
    description,
    params: operation.params,
    outputs: operation.outputs,
    effect: (params) => operation.effect(params),
    run: (ctx) => operation.run(ctx.params, ctx),
    ...(prepare === undefined ? {} : { prepare: (ctx: NodeContext) => prepare(ctx.params, ctx) }),
    ...(probe === undefined ? {} : { probe: (intent, ctx: NodeContext) => probe(intent.params, intent.evidence, ctx) }),
  });
}
