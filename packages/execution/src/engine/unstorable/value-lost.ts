/** The error of a node that reads what a restart took. */
import { NodeError } from '../../errors.ts';
import { describePlaceholder, type Placeholder } from '../../model/placeholder.ts';

/** @param remedy why it is not there, and what would help; ends the sentence */
export function valueLost(placeholder: Placeholder, remedy: string): NodeError {
  const { node, name, place, kind } = placeholder;
  return new NodeError(
    `It reads ${describePlaceholder(placeholder)}, which cannot be stored and was lost when the robot was restarted: ${remedy}.`,
    { code: 'VALUE_LOST', errorType: 'ValueLostError', details: { node, [place]: name, kind } },
  );
}
