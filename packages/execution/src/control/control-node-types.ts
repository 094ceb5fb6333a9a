/** The control-flow node types: always part of a registry. */
import type { NodeType } from '../node-contract.ts';
import { ifNode, switchNode } from './branch-nodes.ts';
import {
  callSubworkflowNode,
  executeWorkflowNode,
  subflowInputNode,
  subflowNode,
  subflowOutputNode,
} from './call-nodes.ts';
import { evalExpressionNode } from './eval-expression-node.ts';
import { assertNode, throwErrorNode } from './failure-nodes.ts';
import { commentNode, endNode, mergeNode, rerouteNode, startNode } from './flow-nodes.ts';
import { forLoopNode, forLoopStartNode } from './for-loop-nodes.ts';
import { breakNode, continueNode, forLoopEndNode, whileLoopEndNode } from './loop-jump-nodes.ts';
import { forkNode, joinNode, parallelForEachNode } from './parallel-nodes.ts';
import { errorRecoveryNode, logErrorNode, onErrorNode } from './recovery-nodes.ts';
import { retryFailNode, retryNode, retrySuccessNode } from './retry-nodes.ts';
import { catchNode, finallyNode, tryNode } from './try-nodes.ts';
import { getVariableNode, incrementVariableNode, setVariableNode } from './variable-nodes.ts';
import { whileLoopNode, whileLoopStartNode } from './while-loop-nodes.ts';

export const controlNodeTypes: readonly NodeType[] = [
  startNode,
  endNode,
  commentNode,
  mergeNode,
  rerouteNode,
  setVariableNode,
  getVariableNode,
  incrementVariableNode,
  ifNode,
  switchNode,
  forLoopStartNode,
  forLoopEndNode,
  whileLoopStartNode,
  whileLoopEndNode,
  breakNode,
  continueNode,
  forLoopNode,
  whileLoopNode,
  tryNode,
  catchNode,
  finallyNode,
  onErrorNode,
  errorRecoveryNode,
  retryNode,
  retrySuccessNode,
  retryFailNode,
  throwErrorNode,
  assertNode,
  forkNode,
  joinNode,
  parallelForEachNode,
  logErrorNode,
  subflowNode,
  executeWorkflowNode,
  callSubworkflowNode,
  subflowInputNode,
  subflowOutputNode,
  evalExpressionNode,
];
