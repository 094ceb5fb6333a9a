/** What a workflow sees of an error: in a CatchNode's ports and variables. */
import type { RunError } from '../errors.ts';

export interface PublishedError {
  readonly [port: string]: string;
  readonly error_message: string;
  readonly error_type: string;
  readonly stack_trace: string;
}

export function publishedError(error: RunError): PublishedError {
  const type = errorTypeOf(error);
  const place = error.node_id === null ? '' : `\n  at ${error.node_id} (${error.node_type ?? 'unknown node type'})`;
  return {
    error_message: error.message,
    error_type: type,
    stack_trace: `${type}: ${error.message} [${error.code}]${place}`,
  };
}

export function errorTypeOf(error: RunError): string {
  return error.error_type ?? 'Error';
}
