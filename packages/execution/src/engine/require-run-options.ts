/** Options of a run without which it would end in the middle, by an error of the engine's own. */
import { ArgumentError, requireMethods, requireObject, requireOneOf, requireText } from '../argument-error.ts';
import type { RunOptions } from './run-options.ts';

/** @throws ArgumentError naming the option */
export function requireRunOptions(options: RunOptions): void {
  requireObject('options', options);
  requireText('jobId', options.jobId);
  requireObject('workflow', options.workflow);
  if (!(options.workflow.nodes instanceof Map))
    throw new ArgumentError('workflow', 'what checkWorkflow answers with as its workflow', options.workflow);
  requireMethods('registry', options.registry, ['get', 'has']);
  requireMethods('journal', options.journal, ['load', 'commit']);
  requireMethods('clock', options.clock, ['now', 'monotonic', 'sleep']);
  requireMethods('logger', options.logger, ['log']);
  requireText('workDir', options.workDir);
  requireOneOf('inDoubtPolicy', options.inDoubtPolicy, ['retry', 'skip', 'fail', 'ask']);
  const { nodeTimeoutMs, variables = {}, signal } = options;
  if (typeof nodeTimeoutMs !== 'number' || !(nodeTimeoutMs > 0))
    throw new ArgumentError('nodeTimeoutMs', 'a number of ms above 0', nodeTimeoutMs);
  requireObject('variables', variables);
  if (signal !== undefined) requireMethods('signal', signal, ['addEventListener']);
}
