/** A fault in an expression, with its place; the public functions turn it into a NodeError. */
import { NodeError } from '../../errors.ts';

export class ExpressionFault extends Error {
  /** Index into the text; null when no single place is at fault. */
  readonly at: number | null;

  constructor(message: string, at: number | null = null) {
    super(message);
    this.at = at;
  }
}

/** Adds the place to faults that were raised without one. */
export function placed<T>(at: number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof ExpressionFault && error.at === null) throw new ExpressionFault(error.message, at);
    throw error;
  }
}

export function expressionError(text: string, fault: ExpressionFault): NodeError {
  const shown = text.length > 200 ? `${text.slice(0, 199)}…` : text;
  const place = fault.at === null ? '' : ` at character ${fault.at + 1}`;
  return new NodeError(`The expression "${shown}" cannot be evaluated: ${fault.message}${place}.`, {
    code: 'EXPRESSION_ERROR',
    errorType: 'ExpressionError',
    details: { expression: shown, problem: fault.message, position: fault.at },
  });
}
