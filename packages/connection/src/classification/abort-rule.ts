/** Aborts and time-outs that carry nothing but their name. */
import type { ClassifyRule } from './error-link.ts';
import { verdict } from './verdict.ts';

export const abortRule: ClassifyRule = ({ name, code }) => {
  if (name === 'TimeoutError') return verdict('A', 'TIMEOUT');
  return name === 'AbortError' || code === 'ABORT_ERR' ? verdict('C', 'ABORTED') : undefined;
};
