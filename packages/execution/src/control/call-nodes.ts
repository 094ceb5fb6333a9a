/**
 * Nodes that call another workflow, and the nodes by which that one takes and gives values. What is called is part of
 * the workflow file (`subworkflows`), so a call is a region of the same run: the node is visited to open it, and again
 * when everything in it has ended.
 */
import { z } from 'zod';
import { NodeError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { NodeType } from '../node-contract.ts';
import { anything, flag, number, text } from './control-params.ts';
import { type ControlContext, type ControlResult, defineControl } from './control-type.ts';

/** Outputs of every calling node, besides those of the workflow that it calls. */
const callOutputs = ['success', 'execution_time_ms', 'error_message', 'error_type'] as const;
const exits = ['exec_out', 'error'] as const;

const subflowParams = { subflow_id: text(), subflow_path: text() };

export const subflowNode: NodeType = defineControl({
  type: 'SubflowNode',
  description: 'Runs a subflow; its inputs and outputs are ports of this node.',
  params: z.looseObject(subflowParams),
  exits,
  outputs: callOutputs,
  run: (ctx) => call(ctx, subflowParams, null),
});

const executeParams = { workflow_path: text(), wait_for_completion: flag(true) };

export const executeWorkflowNode: NodeType = defineControl({
  type: 'ExecuteWorkflowNode',
  description: 'Runs the workflow of another file and waits for its end.',
  params: z.looseObject(executeParams),
  exits,
  outputs: callOutputs,
  run(ctx) {
    if (!ctx.params.wait_for_completion) throw cannotWaitLess('wait_for_completion');
    return call(ctx, executeParams, null);
  },
});

const callParams = {
  subworkflow_id: text(),
  execution_mode: text('sync'),
  timeout_seconds: number(300),
  wait_for_result: flag(true),
  poll_interval: number(5),
};

export const callSubworkflowNode: NodeType = defineControl({
  type: 'CallSubworkflowNode',
  description: 'Runs another workflow within a time limit and waits for its end.',
  params: z.looseObject(callParams),
  exits,
  outputs: ['job_id', ...callOutputs],
  run(ctx) {
    const { execution_mode: mode, wait_for_result: waits, timeout_seconds: seconds } = ctx.params;
    if (mode !== '' && mode !== 'sync') throw cannotWaitLess('execution_mode');
    if (!waits) throw cannotWaitLess('wait_for_result');
    const result = call(ctx, callParams, seconds > 0 ? seconds * 1_000 : null);
    return { ...result, outputs: { ...result.outputs, job_id: ctx.jobId } };
  },
});

export const subflowInputNode: NodeType = defineControl({
  type: 'SubflowInputNode',
  description: 'Gives a value that the calling node was given under the name `port_name`.',
  params: z.object({ port_name: text('input'), default_value: anything() }),
  outputs: ['value'],
  run: ({ visit }) => ({ exit: 'exec_out', outputs: visit.ownOutputs }),
});

export const subflowOutputNode: NodeType = defineControl({
  type: 'SubflowOutputNode',
  description: 'Sets the output `port_name` of the calling node.',
  params: z.object({ port_name: text('output'), value: anything() }),
  outputs: ['value'],
  run: ({ params }) => ({ exit: 'exec_out', outputs: { value: params.value ?? null } }),
});

/** The first visit opens the region, the second closes it. */
function call(ctx: ControlContext, own: object, limitMs: number | null): ControlResult {
  const { openCall } = ctx.visit;
  if (openCall === null) {
    return { exit: null, control: { op: 'open_call', given: givenTo(ctx, own), limit_ms: limitMs } };
  }
  return {
    exit: 'exec_out',
    outputs: { ...ctx.visit.calleeOutputs(), success: true, execution_time_ms: openCall.spentMs },
    control: { op: 'close_call' },
  };
}

function givenTo(ctx: ControlContext, own: object): JsonObject {
  const given = Object.entries(ctx.params).filter(([name]) => ctx.given(name) && !Object.hasOwn(own, name));
  return Object.fromEntries(given as [string, JsonValue][]);
}

function cannotWaitLess(param: string): NodeError {
  return new NodeError(`"${param}" asks for a job of its own, which a robot has no right to submit.`, {
    code: 'INVALID_INPUT',
    errorType: 'ValueError',
  });
}
