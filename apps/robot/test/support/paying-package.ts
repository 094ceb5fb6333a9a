/** A node package with one effect that nobody can look for: its process ends in the middle of the first `times` attempts. */
import type { NodeType } from '@casare/execution';
import { misbehavingNodes } from '../../../../packages/execution/test/processes/support/misbehaving-nodes.ts';

export const nodes: readonly NodeType[] = misbehavingNodes
  .filter(({ type }) => type === 'DieNode')
  .map((node) => ({ ...node, type: 'PayInvoiceNode' }));
