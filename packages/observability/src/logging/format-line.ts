/**
 * One log line, for people or for programs. A line stays a line whatever is logged: control characters are
 * escaped, so that nothing logged can forge another line or drive the terminal.
 */
import * as must from '../arguments.ts';
import type { LogLevel } from '../ports.ts';
import type { JsonObject } from '../redaction/plain-json.ts';

export type LogFormat = 'human' | 'json';

export interface LogRecord {
  readonly at: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: JsonObject;
}

/** @throws ArgumentError */
export function formatLine(record: LogRecord, format: LogFormat): string {
  requireRecord('record', record);
  requireFormat('format', format);
  return format === 'json' ? escapeControl(JSON.stringify(record)) : humanLine(record);
}

const requireRecord = must.shape({ at: must.text, level: must.text, message: must.text, fields: must.object });
const requireFormat = must.oneOf(['human', 'json']);

function humanLine({ at, level, message, fields }: LogRecord): string {
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${shown(value)}`);
  return escapeControl(`${at} ${level.toUpperCase().padEnd(8)} ${message}${pairs.join('')}`);
}

function shown(value: unknown): string {
  return typeof value === 'string' && /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value);
}

/**
 * A text on one line, with what drives a terminal, turns the direction of the writing or is not seen (control and
 * format characters, line separators) as `\\n` or `\\u202e`. Applied to JSON, it leaves what the JSON says.
 *
 * @example
 * escapeControl('paid\nERROR'); // 'paid\\nERROR'
 */
export function escapeControl(text: string): string {
  must.text('text', text);
  if (plain.test(text)) return text;
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    const escaped = JSON.stringify(character).slice(1, -1);
    return escaped === character ? codeUnits(character) : escaped;
  });
}

/** Nothing but what a typewriter had: quickly seen, and nearly every line. */
const plain = /^[\x20-\x7e]*$/;

/** For the characters that JSON leaves as they are. */
function codeUnits(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
