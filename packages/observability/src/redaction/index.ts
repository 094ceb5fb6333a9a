/** `@casare/observability/redaction`: what keeps secrets out, without the logger, the metrics and the audit log. */
export { type RedactOptions, Redactor } from './redactor.ts';
