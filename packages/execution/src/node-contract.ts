/**
 * The contract between the engine and a node type: what a node package implements.
 *
 * A node type declares its parameters once, as a zod object: every key is both a config key and a data
 * input port (a connection wins over config, config over the default). `effect` says what a run does to
 * the world, which decides whether an interrupted run may be repeated (I4).
 */
import type { ZodObject, z } from 'zod';
import type { JsonObject, JsonValue } from './json.ts';
import type { Clock, Logger } from './ports.ts';

/** `pure`: no trace outside the run. `idempotent`: repeating it changes nothing more. `effect`: anything else. */
export type EffectKind = 'pure' | 'idempotent' | 'effect';

export interface NodeResult {
  /** The exec exit to follow. Default: the first of the node's exits. */
  readonly exit?: string;
  /** Values of the data output ports. */
  readonly outputs?: JsonObject;
}

/** Workflow variables as one node sees them; writes are journalled with the node's result. */
export interface VariableScope {
  get(name: string): JsonValue | undefined;
  has(name: string): boolean;
  set(name: string, value: JsonValue): void;
  /** A snapshot of all of them. */
  all(): JsonObject;
}

/**
 * Live objects that belong to one job and cannot be stored (browsers, connections). Data ports carry a
 * plain reference, made by `put`; whatever is still open when the job ends is disposed, newest first.
 */
export interface ResourceScope {
  put(kind: string, value: unknown, dispose: () => Promise<void>, name?: string): JsonObject;
  /** By reference, or the newest of that kind when `ref` is null or undefined. Undefined when there is none. */
  get<T>(kind: string, ref?: JsonValue): T | undefined;
  /** Disposes one resource and forgets it; false when it was not there. */
  close(kind: string, ref?: JsonValue): Promise<boolean>;
}

export interface NodeContext<Params = Readonly<Record<string, unknown>>> {
  readonly jobId: string;
  readonly nodeId: string;
  readonly nodeType: string;
  /** Parameters after connections, templates and defaults, parsed by the type's schema. */
  readonly params: Params;
  /** True when the workflow gives this parameter (config or connection); false when it is a default. */
  given(param: string): boolean;
  /** Aborts on cancel, on the node's or job's time limit and when the lease is lost (I9). */
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly clock: Clock;
  readonly variables: VariableScope;
  readonly resources: ResourceScope;
  /** Absolute folder that relative paths of the workflow mean. */
  readonly workDir: string;
  /** Absolute form of a workflow's path; the one door through which nodes touch files. */
  resolvePath(path: string): string;
  /** Same for every attempt of this step of this job: for services that accept an idempotency key. */
  readonly idempotencyKey: string;
  /** 1 for the first try of this step. */
  readonly attempt: number;
}

/** An intent whose result is unknown, as handed to `probe`. */
export interface NodeIntent<Params = Readonly<Record<string, unknown>>> {
  readonly params: Params;
  /** What `prepare` returned before the effect; null if it returned nothing. */
  readonly evidence: JsonValue;
  readonly idempotencyKey: string;
}

export type ProbeVerdict =
  | { readonly state: 'done'; readonly result: NodeResult }
  | { readonly state: 'not-done' }
  | { readonly state: 'unknown'; readonly reason: string };

export interface NodeType<Schema extends ZodObject = ZodObject> {
  /** The `node_type` in a workflow file, e.g. `WriteFileNode`. */
  readonly type: string;
  /** Other names that files may use for it. */
  readonly aliases?: readonly string[];
  readonly category: string;
  /** One sentence for people. */
  readonly description: string;
  /** Parameters; see the module comment. */
  readonly params: Schema;
  /** Exec exits in order of preference; `[]` for a node that ends its path. Default `['exec_out']`. */
  readonly exits?: readonly string[] | ((config: JsonObject) => readonly string[]);
  /** Data output ports. */
  readonly outputs: readonly string[] | ((config: JsonObject) => readonly string[]);
  /**
   * Params that this config lacks besides those that the schema requires, for types where one parameter decides
   * which others are needed; `purpose` follows the name: `for the action "Copy File"`. A connected one is no lack.
   * Asked before a run, so that values may still be templates.
   */
  missing?(
    config: JsonObject,
    isConnected: (param: string) => boolean,
  ): readonly { readonly param: string; readonly purpose: string }[];
  /** Params whose strings the node interprets itself; templates in them are left alone. */
  readonly rawParams?: readonly string[];
  /** True for nodes that wait by design: the default node time limit does not apply. */
  readonly unbounded?: boolean;
  /**
   * The node's own time limit in ms, for types whose `timeout` is not in seconds. The engine aborts the node
   * one second later, so that the node's own, better error comes first. Undefined: no limit of its own.
   */
  timeoutMs?(params: Readonly<z.output<Schema>>): number | undefined;
  effect(params: Readonly<z.output<Schema>>): EffectKind;
  /** Looks at the world before the effect; the answer is stored with the intent. Must not change anything. */
  prepare?(ctx: NodeContext<z.output<Schema>>): Promise<JsonValue>;
  run(ctx: NodeContext<z.output<Schema>>): Promise<NodeResult>;
  /** After a crash between intent and result: did it happen? */
  probe?(intent: NodeIntent<z.output<Schema>>, ctx: NodeContext<z.output<Schema>>): Promise<ProbeVerdict>;
}

/** Keeps a definition's parameter types while giving it the contract's type. */
export function defineNode<Schema extends ZodObject>(definition: NodeType<Schema>): NodeType<Schema> {
  return definition;
}
