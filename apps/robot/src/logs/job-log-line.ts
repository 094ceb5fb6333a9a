/** A log line of a job in the form that goes to the database. */
import type { JobLogLine, LogBatch } from '@casare/execution';
import { formatLine, type LogRecord } from '@casare/observability/lines';

/** As it waits on the disk: numbered. */
export type NumberedLine = LogBatch['lines'][number] & { readonly seq: number };

/** What the database would cut. */
const maxMessageChars = 4_000;

/** The message, and behind it what else is known. */
export function jobLogLine(record: LogRecord): JobLogLine & { readonly at: string } {
  const { job_id: _job, node_id: node, ...rest } = record.fields;
  const prefix = formatLine({ ...record, message: '', fields: {} }, 'human');
  const details = formatLine({ ...record, message: '', fields: rest }, 'human').slice(prefix.length);
  const message = `${record.message}${details}`;
  return {
    at: record.at,
    level: record.level,
    nodeId: typeof node === 'string' ? node : null,
    message: message.length > maxMessageChars ? `${message.slice(0, maxMessageChars - 10)}... (cut)` : message,
  };
}
