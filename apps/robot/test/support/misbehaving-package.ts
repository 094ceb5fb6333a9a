/** A node package whose nodes do what no node should. */
export { misbehavingNodes as nodes } from '../../../../packages/execution/test/processes/support/misbehaving-nodes.ts';
