/** Reads settings from a JSON file. */
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Source } from './given-value.ts';
import { jsonErrorPosition } from './json-error-position.ts';
import { isRecord, readObject } from './object-source.ts';

export interface FileSource extends Source {
  /** False when there is no such file. */
  readonly found: boolean;
  readonly warnings: readonly string[];
}

/** Reads `file`, an absolute path. UTF-8 and UTF-16 with a byte order mark are understood. */
export function readConfigFile(file: string): FileSource {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    if (isMissing(error)) return { found: false, given: [], problems: [], warnings: [] };
    return refuse(file, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  let text: string;
  try {
    text = decode(bytes);
  } catch {
    return refuse(file, 'is not UTF-8 text');
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    const place = jsonErrorPosition(text);
    return refuse(file, `is not JSON: expected ${place?.expected} at line ${place?.line}, column ${place?.column}`);
  }
  if (!isRecord(content)) return refuse(file, 'must hold an object of sections');
  const { $schema: _forEditors, ...sections } = content;
  const source = readObject(sections, { source: 'file', file }, dirname(file));
  const holdsKey = source.given.some(({ setting, value }) => setting.kind.treatment === 'secret' && value !== null);
  return { ...source, found: true, warnings: holdsKey ? permissionWarnings(file) : [] };
}

function refuse(file: string, message: string): FileSource {
  return { found: true, given: [], problems: [{ path: null, source: `file ${file}`, message }], warnings: [] };
}

function decode(bytes: Buffer): string {
  const wide = bytes[0] === 0xff && bytes[1] === 0xfe;
  return new TextDecoder(wide ? 'utf-16le' : 'utf-8', { fatal: true }).decode(bytes);
}

function permissionWarnings(file: string): string[] {
  if (process.platform === 'win32' || (statSync(file).mode & 0o077) === 0) return [];
  return [`${file} holds a key and other users may read it; chmod 600 ends that`];
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
