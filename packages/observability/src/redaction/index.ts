/** `@casare/observability/redaction`: what keeps secrets out, without the logger, the metrics and the audit log. */
export { ArgumentError } from '../arguments.ts';
export { type RedactOptions, Redactor, type RedactRule } from './redactor.ts';
