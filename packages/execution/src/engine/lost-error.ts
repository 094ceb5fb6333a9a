/** The error of a node whose process is gone: what the node would have thrown, could it have. */
import { NodeError } from '../errors.ts';
import type { Interruption } from './run-options.ts';

export function lostError({ error }: Interruption, ambiguous: boolean): NodeError {
  const { message, code, category, errorType, details } = error;
  return new NodeError(message, { code, category, errorType, details, ambiguous });
}
