/** Options of a run without which it would end in the middle, by an error of the engine's own. */
import { requireFunctions, requireMethods, requireOneOf, requireOptions, requireText } from '../argument-error.ts';
import { anyMs, object, requireShape, shapeOf, stopSignal, text, timeLimitMs } from '../argument-shapes.ts';
import { requireWorkflow } from '../model/require-workflow.ts';
import { doubtAnswers } from './doubt.ts';
import type { RunOptions } from './run-options.ts';

/** @throws ArgumentError naming the option; one that nobody reads, too, where its name is nearly that of one that is read */
export function requireRunOptions(options: RunOptions): void {
  requireOptions('options', options, optionNames);
  requireText('jobId', options.jobId);
  requireWorkflow(options.workflow);
  requireMethods('registry', options.registry, ['get', 'has']);
  requireMethods('journal', options.journal, ['load', 'commit']);
  requireMethods('clock', options.clock, ['now', 'monotonic', 'sleep']);
  requireMethods('logger', options.logger, ['log']);
  requireText('workDir', options.workDir);
  requireOneOf('inDoubtPolicy', options.inDoubtPolicy, ['retry', 'skip', 'fail', 'ask']);
  requireShape('options', options, shapeOf(optional));
  if (options.secrets !== undefined) requireMethods('secrets', options.secrets, ['get']);
  if (options.access !== undefined) requireMethods('access', options.access, accessMethods);
  requireFunctions({ redact: options.redact, classifyError: options.classifyError });
}

const accessMethods = ['refusalOfPath', 'refusalOfCommand', 'refusalOfNetwork'] as const;

const optional = {
  nodeTimeoutMs: timeLimitMs,
  jobTimeoutMs: timeLimitMs.nullish(),
  finallyGraceMs: anyMs.optional(),
  abortGraceMs: anyMs.optional(),
  variables: object.optional(),
  signal: stopSignal.optional(),
  answers: doubtAnswers.optional(),
  interruption: object.optional(),
  limits: object.optional(),
  evidence: object.optional(),
  observer: object.optional(),
  library: text.optional(),
};

const required = ['jobId', 'workflow', 'registry', 'journal', 'clock', 'logger', 'workDir', 'inDoubtPolicy'];
const optionNames = [...required, 'secrets', 'access', 'redact', 'classifyError', ...Object.keys(optional)];
