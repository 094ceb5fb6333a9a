/** Every node type of this package. */
import { logNode } from './basic/log-node.ts';
import { waitNode } from './basic/wait-node.ts';
import { browserNodes } from './browser/index.ts';
import { createDictNode, dictMergeNode, dictRemoveNode, dictSetNode } from './dicts/change-nodes.ts';
import { dictToJsonNode, jsonParseNode } from './dicts/json-nodes.ts';
import {
  dictGetNode,
  dictHasKeyNode,
  dictItemsNode,
  dictKeysNode,
  dictValuesNode,
  getPropertyNode,
} from './dicts/read-nodes.ts';
import { fileNodes } from './files/file-nodes.ts';
import { fileSystemSuperNode } from './files/file-system-super-node.ts';
import { httpRequestNode } from './http/http-request-node.ts';
import { webhookNotifyNode } from './http/webhook-notify-node.ts';
import {
  createListNode,
  listAppendNode,
  listContainsNode,
  listGetItemNode,
  listLengthNode,
  listSliceNode,
} from './lists/element-nodes.ts';
import { listFilterNode } from './lists/filter-node.ts';
import { listMapNode } from './lists/map-node.ts';
import { listFlattenNode, listJoinNode, listReverseNode, listSortNode, listUniqueNode } from './lists/order-nodes.ts';
import { listReduceNode } from './lists/reduce-node.ts';
import { comparisonNode } from './math/comparison-node.ts';
import { mathOperationNode } from './math/math-operation-node.ts';
import type { NodeType } from './ports.ts';
import { systemNodes } from './system/system-nodes.ts';
import { concatenateNode } from './text/concatenate-node.ts';
import { formatStringNode } from './text/format-string-node.ts';

/** Those that need no browser. */
export const dataNodes: readonly NodeType[] = [
  logNode,
  waitNode,
  mathOperationNode,
  comparisonNode,
  concatenateNode,
  formatStringNode,
  createDictNode,
  dictGetNode,
  dictSetNode,
  dictRemoveNode,
  dictMergeNode,
  dictKeysNode,
  dictValuesNode,
  dictItemsNode,
  dictHasKeyNode,
  dictToJsonNode,
  jsonParseNode,
  getPropertyNode,
  createListNode,
  listGetItemNode,
  listLengthNode,
  listAppendNode,
  listContainsNode,
  listSliceNode,
  listJoinNode,
  listSortNode,
  listReverseNode,
  listUniqueNode,
  listFilterNode,
  listMapNode,
  listReduceNode,
  listFlattenNode,
  ...fileNodes,
  fileSystemSuperNode,
  httpRequestNode,
  webhookNotifyNode,
  ...systemNodes,
];

/** All of them, for the engine's registry. */
export const builtinNodes: readonly NodeType[] = [...dataNodes, ...browserNodes];
