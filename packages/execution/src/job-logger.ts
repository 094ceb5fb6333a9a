/** Every remark about a run says of which job. */
import type { Logger } from './ports.ts';

export function jobLogger(logger: Logger, jobId: string): Logger {
  return { log: (level, message, fields = {}) => logger.log(level, message, { ...fields, job_id: jobId }) };
}
