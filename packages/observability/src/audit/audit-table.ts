/** Entries as rows of a CSV file (RFC 4180) that no spreadsheet takes for formulas. */
import * as must from '../arguments.ts';
import type { AuditEntry } from './audit-entry.ts';

const columns = [
  'seq',
  'at',
  'type',
  'severity',
  'outcome',
  'message',
  'job_id',
  'node_id',
  'actor',
  'trace_id',
  'robot_id',
  'boot_id',
  'mono_ms',
  'details',
  'prev',
  'hash',
] as const satisfies readonly (keyof AuditEntry)[];

export const csvHeader: string = columns.join(',');

/**
 * Without its line end.
 *
 * @throws ArgumentError for what is no entry
 */
export function csvRow(entry: AuditEntry): string {
  requireEntry('entry', entry);
  return columns.map((column) => cell(column === 'details' ? JSON.stringify(entry.details) : entry[column])).join(',');
}

const requireCell: must.Check = (argument, value) =>
  value === null ||
  typeof value === 'string' ||
  typeof value === 'number' ||
  must.refuse(argument, 'a text, a number or null', value);
const requireEntry = must.shape({
  ...Object.fromEntries(columns.map((column) => [column, requireCell])),
  details: must.object,
});

/** Also behind what is not seen: spaces and format characters, which spreadsheets pass over. */
const startsFormula = /^(?:[\t\r\n]|[\s\p{Cf}\p{Cc}]*[=+\-@|%＝＋－＠｜％])/u;

/**
 * A text that a spreadsheet would run gets an apostrophe before it, as OWASP advises against CSV injection. Quoted is
 * also what divides cells where commas do not.
 */
function cell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = startsFormula.test(value) ? `'${value}` : value;
  return /[",;\t\r\n']|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
