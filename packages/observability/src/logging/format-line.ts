/**
 * One log line, for people or for programs. A line stays a line whatever is logged: control characters are
 * escaped, so that nothing logged can forge another line or drive the terminal.
 */
import type { LogLevel } from '../ports.ts';
import type { JsonObject } from '../redaction/plain-json.ts';

export type LogFormat = 'human' | 'json';

export interface LogRecord {
  readonly at: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: JsonObject;
}

export function formatLine(record: LogRecord, format: LogFormat): string {
  return format === 'json' ? JSON.stringify(record) : humanLine(record);
}

function humanLine({ at, level, message, fields }: LogRecord): string {
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${shown(value)}`);
  return escapeControl(`${at} ${level.toUpperCase().padEnd(8)} ${message}${pairs.join('')}`);
}

function shown(value: unknown): string {
  return typeof value === 'string' && /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value);
}

/**
 * A text on one line, its control characters and line separators as `\\n` or `\\u001b`.
 *
 * @example
 * escapeControl('paid\nERROR'); // 'paid\\nERROR'
 */
export function escapeControl(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, (character) =>
    JSON.stringify(character)
      .slice(1, -1)
      .replace(/^[^\\]/, codePoint),
  );
}

/** For the control characters that JSON leaves as they are. */
function codePoint(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
