export { ArgumentError } from '../argument-error.ts';
export { ConnectionError, type ConnectionErrorDetails } from '../errors.ts';
export { type ClassifyContext, type ClassifyError, classifyError, createClassifier } from './classify-error.ts';
export { isDuplicateOf } from './duplicate-key.ts';
export type { ClassifyRule, ErrorLink } from './error-link.ts';
export { parseRetryAfter } from './retry-after.ts';
export { ErrorCategory, type ErrorClass, type ErrorVerdict, type VerdictExtras, verdict } from './verdict.ts';
