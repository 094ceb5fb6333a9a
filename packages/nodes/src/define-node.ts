/** Keeps a definition's parameter types while giving it the contract's type. */
import type { ZodObject } from 'zod';
import type { NodeType } from './ports.ts';

export function defineNode<Schema extends ZodObject>(definition: NodeType<Schema>): NodeType<Schema> {
  return definition;
}
