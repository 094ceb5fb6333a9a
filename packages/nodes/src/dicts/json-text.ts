/** JSON text as Python's `json.dumps` writes it: `, ` and `: ` between the parts, unless it is indented. */
import type { JsonValue } from '../ports.ts';
import { isObject } from '../values/kind-of.ts';

export interface JsonTextOptions {
  /** Spaces per level; null for one line. */
  readonly indent: number | null;
  readonly sortKeys: boolean;
  /** Writes every character beyond ASCII as an escape. */
  readonly ensureAscii: boolean;
}

export function jsonText(value: JsonValue, options: JsonTextOptions): string {
  const text = written(value, options, 0);
  return options.ensureAscii ? text.replace(/[\u007f-\uffff]/g, escaped) : text;
}

function written(value: JsonValue, options: JsonTextOptions, depth: number): string {
  if (Array.isArray(value)) {
    const items = value.map((item) => written(item as JsonValue, options, depth + 1));
    return enclosed('[', items, ']', options, depth);
  }
  if (!isObject(value)) return JSON.stringify(value);
  const keys = options.sortKeys ? Object.keys(value).sort() : Object.keys(value);
  const entries = keys.map((key) => `${JSON.stringify(key)}: ${written(value[key] as JsonValue, options, depth + 1)}`);
  return enclosed('{', entries, '}', options, depth);
}

function enclosed(open: string, parts: string[], close: string, options: JsonTextOptions, depth: number): string {
  if (parts.length === 0) return open + close;
  if (options.indent === null) return open + parts.join(', ') + close;
  const line = `\n${' '.repeat(options.indent * (depth + 1))}`;
  return `${open}${line}${parts.join(`,${line}`)}\n${' '.repeat(options.indent * depth)}${close}`;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
