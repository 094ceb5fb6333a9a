/** The node types for the machine: programs, scripts, environment, facts, small tools. */
import type { NodeType } from '../ports.ts';
import { base64Node } from './base64-node.ts';
import { environmentVariableNode } from './environment-variable-node.ts';
import { logToFileNode } from './log-to-file-node.ts';
import { processListNode } from './process-list-node.ts';
import { runCommandNode } from './run-command-node.ts';
import { runBatchScriptNode, runJavaScriptNode, runPythonFileNode, runPythonScriptNode } from './script-nodes.ts';
import { systemInfoNode } from './system-info-node.ts';
import { uuidGeneratorNode } from './uuid-generator-node.ts';

export const systemNodes: readonly NodeType[] = [
  runCommandNode,
  runBatchScriptNode,
  runPythonScriptNode,
  runPythonFileNode,
  runJavaScriptNode,
  environmentVariableNode,
  systemInfoNode,
  processListNode,
  base64Node,
  uuidGeneratorNode,
  logToFileNode,
];
