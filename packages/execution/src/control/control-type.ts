/**
 * The contract of the control-flow nodes. They are node types like any other (schema, exits, outputs), all
 * of them pure; the engine gives their `run` a wider context and journals the `control` part of their result.
 */
import type { ZodObject, z } from 'zod';
import type { RunError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { ReferenceScope } from '../model/reference-path.ts';
import type { NodeContext, NodeType } from '../node-contract.ts';
import type { ControlOp, LoopSource } from './control-op.ts';

/** A loop whose body has come to its end, or is under way. */
export interface OpenLoop {
  readonly source: LoopSource;
  /** Of the current iteration, from 0. */
  readonly index: number;
  readonly itemVar: string | null;
}

/** A call whose workflow has come to its end. */
export interface OpenCall {
  /** Time spent in the nodes of the callee, in ms. */
  readonly spentMs: number;
}

/** A retry region whose last attempt failed. */
export interface OpenRetry {
  /** The number of that attempt, from 1. */
  readonly attempt: number;
  readonly lastError: string;
}

/** A branch of a fork whose join is asked. */
export interface EndedBranch {
  /** From 0; its exit is `branch_<index + 1>`. */
  readonly index: number;
  /** The variables that it has written. */
  readonly variables: JsonObject;
}

/** Where the walk stands when it reaches a control-flow node. */
export interface ControlVisit {
  /** This node's own loop, when control came back to it; null when it is entered anew. */
  readonly openLoop: OpenLoop | null;
  readonly innermostLoop: string | null;
  isLoopOpen(loopStartId: string): boolean;
  /** True when the loop is open, but around the branch or item that this node stands in. */
  isLoopAround(loopStartId: string): boolean;
  /** The loop start that this end node belongs to, as the file says or implies. */
  readonly pairedLoop: string | null;
  /** The error that this catch node is offered. */
  readonly offeredError: RunError | null;
  /** For a finally node: whether its region met an error. */
  readonly hadError: boolean;
  /** This node's own call, when control came back to it. */
  readonly openCall: OpenCall | null;
  /** The values of the callee's outputs, when control came back from it. */
  calleeOutputs(): JsonObject;
  /** This node's own retry region, when it is to make another attempt. */
  readonly openRetry: OpenRetry | null;
  readonly isInRetry: boolean;
  /** The error that the innermost catch around this node has taken. */
  readonly caughtError: RunError | null;
  /** What this node has given so far. */
  readonly ownOutputs: JsonObject;
  /** For the join of an open fork: its branches, in the order in which they ended; null for any other node. */
  readonly endedBranches: readonly EndedBranch[] | null;
  /** True when an exec connection leaves this node by `exit`. */
  isConnected(exit: string): boolean;
  isFromConnection(param: string): boolean;
}

export interface ControlContext<Params = Readonly<Record<string, unknown>>> extends NodeContext<Params> {
  /** What references in conditions and expressions mean. */
  readonly scope: ReferenceScope;
  readonly visit: ControlVisit;
}

export interface ControlResult {
  /** null: no exit is followed. Undefined: the first one. */
  readonly exit?: string | null;
  readonly outputs?: JsonObject;
  readonly variables?: Readonly<Record<string, JsonValue>>;
  readonly control?: ControlOp;
}

export interface ControlType<Schema extends ZodObject = ZodObject>
  extends Omit<NodeType<Schema>, 'run' | 'effect' | 'prepare' | 'probe' | 'category'> {
  run(ctx: ControlContext<z.output<Schema>>): ControlResult;
  /** How long to wait before `run`, in ms. Default: not at all. */
  waitMs?(ctx: ControlContext<z.output<Schema>>): number;
  /** Instead of `run` when control comes back to its open loop: needs no parameters. */
  runAgain?(loop: OpenLoop): ControlResult;
}

/** What the engine calls for a control-flow node, instead of its type's `run`. */
export interface ControlBehaviour {
  decide(ctx: ControlContext): ControlResult;
  waitMs(ctx: ControlContext): number;
  runAgain?(loop: OpenLoop): ControlResult;
}

const behaviours = new WeakMap<object, ControlBehaviour>();

/** Makes a node type of a control-flow definition. Only the engine can run it: it needs the walk's state. */
export function defineControl<Schema extends ZodObject>(definition: ControlType<Schema>): NodeType<Schema> {
  const { run, runAgain, waitMs, ...rest } = definition;
  const type: NodeType<Schema> = {
    ...rest,
    // Most of them only pass values on, and what is passed on is known by itself.
    outputsFrom: definition.outputsFrom ?? 'world',
    category: 'control_flow',
    effect: () => 'pure',
    run: () => Promise.reject(new Error(`${definition.type} is run by the engine itself`)),
  };
  behaviours.set(type, {
    decide: (ctx) => run(ctx as ControlContext<z.output<Schema>>),
    waitMs: (ctx) => waitMs?.(ctx as ControlContext<z.output<Schema>>) ?? 0,
    ...(runAgain === undefined ? {} : { runAgain }),
  });
  return type;
}

/** Undefined for a node type that `defineControl` did not make. */
export function controlBehaviour(type: NodeType): ControlBehaviour | undefined {
  return behaviours.get(type);
}
