/**
 * The contract between the engine and a node type: what a node package implements.
 *
 * A node type declares its parameters once, as a zod object: every key is both a config key and a data
 * input port (a connection wins over config, config over the default). `effect` says what a run does to
 * the world, which decides whether an interrupted run may be repeated (I4).
 */
import type { ZodObject, z } from 'zod';
import type { NetworkTarget } from './access/net-rules.ts';
import type { JsonObject, JsonValue } from './json.ts';
import type { Clock, Logger } from './ports.ts';

/** `pure`: no trace outside the run. `idempotent`: repeating it changes nothing more. `effect`: anything else. */
export type EffectKind = 'pure' | 'idempotent' | 'effect';

export interface NodeResult {
  /** The exec exit to follow. Default: the first of the node's exits. */
  readonly exit?: string;
  /**
   * Values of the data output ports. What is no JSON (a connection, a function, bytes) is passed on as it is as long as the
   * robot runs; see `NodeType.unstorable` for what a restart makes of it.
   */
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** Workflow variables as one node sees them; writes are journalled with the node's result. */
export interface VariableScope {
  get(name: string): JsonValue | undefined;
  has(name: string): boolean;
  /** As with outputs, the value may be none that can be stored. */
  set(name: string, value: unknown): void;
  /** A snapshot of all of them. */
  all(): JsonObject;
}

/**
 * Live objects that belong to one job and cannot be stored (browsers, connections). Data ports carry a
 * plain reference, made by `put`; whatever is still open when the job ends is disposed, newest first.
 */
export interface ResourceScope {
  /**
   * @param evidence what `restore` needs to make it again after a restart, besides the node's parameters; recorded with
   *   the node's result
   * @param sealed the same for what is nobody's business (cookies, tokens): it is encrypted wherever it is stored
   * @throws NodeError `RESOURCE_LIMIT` when the job holds as many of that kind as it may; the value is disposed
   */
  put(
    kind: string,
    value: unknown,
    dispose: () => Promise<void>,
    name?: string,
    evidence?: JsonObject,
    sealed?: JsonObject,
  ): JsonObject;
  /** By reference, or the newest of that kind when `ref` is null or undefined. Undefined when there is none. */
  get<T>(kind: string, ref?: JsonValue): T | undefined;
  /**
   * As `get`, but a resource that a restart of the robot took is restored, if the node type that made it can; see
   * `NodeType.restore`.
   *
   * @throws NodeError `RESTORE_FAILED`
   */
  find<T>(kind: string, ref?: JsonValue): Promise<T | undefined>;
  /**
   * Replaces the evidence of a resource; recorded with the result of the node that calls it.
   *
   * @param sealed what has changed of the sealed evidence, by key; a null takes a key away. What it does not name stays
   */
  note(ref: JsonValue, evidence: JsonObject, sealed?: JsonObject): void;
  /** @throws NodeError `RESOURCE_LIMIT` when one more of that kind is not allowed; for what is costly to make */
  requireRoom(kind: string): void;
  /** Disposes one resource and forgets it; false when it was not there. */
  close(kind: string, ref?: JsonValue): Promise<boolean>;
}

/**
 * The operator's permissions. A refusal is an error `PERMISSION_DENIED` that ends the run as failed: neither the node
 * nor a try region can pass over it (only finally bodies still run). Files: see `NodeContext.resolvePath`.
 */
export interface AccessScope {
  /** True when every host is allowed, so that there is nothing to check. */
  readonly isNetworkOpen: boolean;
  /** True when every program is allowed. */
  readonly areCommandsOpen: boolean;
  /** @throws NodeError `PERMISSION_DENIED` unless this program (a name, or an absolute path) may be started */
  requireCommand(command: string): void;
  /**
   * To be asked twice: with the name before it is resolved, and with the address before the connection is made, so that
   * neither a redirect nor a name that changes its address gets past it.
   *
   * @throws NodeError `PERMISSION_DENIED`
   */
  requireNetwork(target: NetworkTarget): void;
  /** The same question without consequences, for what a page or a peer tries by itself. Null: allowed. */
  refusalOfNetwork(target: NetworkTarget): Error | null;
  refusalOfPath(path: string): Error | null;
  /** Makes a refusal that was found by other means this node's. */
  refuse(refusal: Error): never;
}

/** Secrets by their references (I8). A value belongs in no output, variable, log line or error message. */
export interface SecretScope {
  /**
   * @param reference an id, or `$secret:id` with or without braces
   * @throws NodeError `SECRET_UNAVAILABLE` naming the id and where it was looked for
   */
  get(reference: string): Promise<string>;
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
  /**
   * Absolute form of a workflow's path; the one door through which nodes touch files. Links are followed for the check,
   * also those above a file that does not exist yet.
   *
   * @throws NodeError `PERMISSION_DENIED` outside of the work folder and what the operator allows; see `AccessScope`
   */
  resolvePath(path: string): string;
  readonly access: AccessScope;
  readonly secrets: SecretScope;
  /** Same for every attempt of this step of this job: for services that accept an idempotency key. */
  readonly idempotencyKey: string;
  /** 1 for the first try of this step. */
  readonly attempt: number;
}

/** A resource that a restart of the robot took, as handed to `restore`. */
export interface LostResource {
  readonly kind: string;
  readonly name: string | null;
  /** What `put` or the last `note` left. */
  readonly evidence: JsonObject;
  /** What `put` and every `note` left in it; empty when they left nothing. */
  readonly sealed: JsonObject;
  /** Puts the new object in the place of the lost one: references from before the restart lead to it. */
  bringBack(value: unknown, dispose: () => Promise<void>): JsonObject;
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
   * What decides the outputs of a node that was given a secret. `params`: they are made of what it was given, so they are
   * secret as well (text functions, scripts). `world`: they come from outside (an answer, a page, a file), and are secret
   * only where they hold a secret. Default `params`, the careful one.
   */
  readonly outputsFrom?: 'params' | 'world';
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
  /**
   * What becomes of outputs and variables of it that are no JSON (a connection, a function, bytes) when the robot was
   * restarted and a node reads one. `rerun`: the node runs again, for which it must be pure or idempotent, with the inputs
   * it had. `fail`: the reading node fails with `VALUE_LOST`. A node's config may say it, too; `restore`, if the type has
   * it, is asked first. Default `fail`.
   */
  readonly unstorable?: 'rerun' | 'fail';
  /** Looks at the world before the effect; the answer is stored with the intent. Must not change anything. */
  prepare?(ctx: NodeContext<z.output<Schema>>): Promise<JsonValue>;
  run(ctx: NodeContext<z.output<Schema>>): Promise<NodeResult>;
  /**
   * After a restart: makes anew what runs of this node had put into the job's resources, oldest first. Called when a node
   * asks for one of them, with that node's signal; `ctx.params` are those of the node that had made them, read anew (so
   * that secrets are resolved again). What it does not bring back stays lost. It must not have effects of its own.
   */
  restore?(lost: readonly LostResource[], ctx: NodeContext<z.output<Schema>>): Promise<void>;
  /** After a crash between intent and result: did it happen? */
  probe?(intent: NodeIntent<z.output<Schema>>, ctx: NodeContext<z.output<Schema>>): Promise<ProbeVerdict>;
}

/** Keeps a definition's parameter types while giving it the contract's type. */
export function defineNode<Schema extends ZodObject>(definition: NodeType<Schema>): NodeType<Schema> {
  return definition;
}
