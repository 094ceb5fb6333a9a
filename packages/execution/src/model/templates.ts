/**
 * Templates in config strings: `{{name}}`, `{{node_id.port}}`, `{{a.b[0].c}}`; `${name}` and `%name%` where such a
 * variable exists.
 *
 * A string that is exactly one reference becomes the value, with its type. Inside text, values are written as text:
 * numbers plainly, `true`/`false`, null as nothing, objects and lists as JSON. What is inserted is never expanded
 * again. An unknown reference stays as it is written.
 */
import { NodeError } from '../errors.ts';
import type { JsonValue } from '../json.ts';
import {
  isSecretReference,
  type Lookup,
  lookupReference,
  MAX_REFERENCE_LENGTH,
  parseReference,
  type Reference,
  type ReferenceScope,
  referenceText,
} from './reference-path.ts';
import { isJsonObject, toText } from './value-text.ts';

const MAX_TEXT_LENGTH = 64 * 1024 * 1024;
const MARKER = /\{\{|\$\{|%/g;
const PERCENT_NAME = /%([\p{L}_][^%\s{}]*)%/uy;

/** A literal piece of a template, or a value that took a reference's place. */
type Piece = { readonly text: string } | { readonly value: JsonValue };

/** How a reference is written: `braces` is always a reference, the others only where such a variable exists. */
export type ReferenceStyle = 'braces' | 'dollar' | 'percent';

/** Called for every reference in order; `undefined` leaves it as it is written. */
type Resolve = (reference: Reference, style: ReferenceStyle) => JsonValue | undefined;

/**
 * Replaces the references in `value`, in texts nested in lists and objects, too (keys are left alone).
 *
 * @param onUnknown called once for each distinct reference that stays unknown; secrets are not reported, because a
 *   scope may leave them to a later stage.
 * @throws NodeError `TEMPLATE_TOO_LARGE` when a text would exceed 64 Mi characters.
 * @example
 * const scope = { lookup: (name) => (name === 'n' ? { found: true, value: 3 } : { found: false }) };
 * resolveTemplates({ count: '{{n}}', text: 'n is {{n}}' }, scope); // { count: 3, text: 'n is 3' }
 */
export function resolveTemplates(
  value: JsonValue,
  scope: ReferenceScope,
  onUnknown?: (reference: string) => void,
): JsonValue {
  const reported = new Set<string>();
  const resolve: Resolve = (reference, style) => {
    const found: Lookup = lookupReference(reference, scope);
    if (found.found) return found.value;
    const name = referenceText(reference);
    if (style === 'braces' && !isSecretReference(reference) && !reported.has(name)) {
      reported.add(name);
      onUnknown?.(name);
    }
    return undefined;
  };
  return resolveIn(value, resolve);
}

function resolveIn(value: JsonValue, resolve: Resolve): JsonValue {
  if (typeof value === 'string') return resolveText(value, resolve);
  if (Array.isArray(value)) return value.map((item: JsonValue) => resolveIn(item, resolve));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolveIn(item, resolve)]));
}

function resolveText(text: string, resolve: Resolve): JsonValue {
  const pieces = expand(text, resolve);
  const [only] = pieces;
  return pieces.length === 1 && only !== undefined && 'value' in only ? only.value : joined(pieces);
}

/** A text with its references replaced, as text even when it is exactly one reference. */
export function resolveAsText(text: string, scope: ReferenceScope): string {
  return joined(
    expand(text, (reference) => {
      const found = lookupReference(reference, scope);
      return found.found ? found.value : undefined;
    }),
  );
}

/** The references that a text holds in braces, without those it may hold in other styles. */
export function referencesIn(text: string): Reference[] {
  const references: Reference[] = [];
  for (let at = text.indexOf('{{'); at !== -1; ) {
    const candidate = candidateAt(text, at, '{{');
    if (candidate !== null) references.push(candidate.reference);
    at = text.indexOf('{{', candidate?.end ?? at + 1);
  }
  return references;
}

/** True when the value holds anything that could be a reference, so that it is known only at run time. */
export function hasReferences(value: JsonValue): boolean {
  if (typeof value === 'string') return nextCandidate(value, 0) !== null;
  if (Array.isArray(value)) return value.some((item: JsonValue) => hasReferences(item));
  return isJsonObject(value) && Object.values(value).some((item) => hasReferences(item));
}

function expand(text: string, resolve: Resolve): Piece[] {
  const pieces: Piece[] = [];
  let written = 0;
  let found = nextCandidate(text, 0);
  while (found !== null) {
    const value = resolve(found.reference, found.style);
    if (value !== undefined) {
      if (found.start > written) pieces.push({ text: text.slice(written, found.start) });
      pieces.push({ value });
      written = found.end;
    }
    found = nextCandidate(text, value === undefined ? passOver(found) : found.end);
  }
  if (written < text.length || pieces.length === 0) pieces.push({ text: text.slice(written) });
  return pieces;
}

/** Something that is written like a reference, with its marks from `start` to `end`. */
interface Candidate {
  readonly reference: Reference;
  readonly style: ReferenceStyle;
  readonly start: number;
  readonly end: number;
}

/** Where to go on behind a reference that stays as it is: a closing mark in other styles may open the next one. */
function passOver(candidate: Candidate): number {
  return candidate.style === 'braces' ? candidate.end : candidate.start + 1;
}

function nextCandidate(text: string, from: number): Candidate | null {
  for (let at = from; ; at += 1) {
    MARKER.lastIndex = at;
    const marker = MARKER.exec(text);
    if (marker === null) return null;
    at = marker.index;
    const candidate = candidateAt(text, at, marker[0]);
    if (candidate !== null) return candidate;
  }
}

function candidateAt(text: string, start: number, marker: string): Candidate | null {
  if (marker === '%') {
    PERCENT_NAME.lastIndex = 0;
    const match = PERCENT_NAME.exec(text.slice(start, start + MAX_REFERENCE_LENGTH));
    const reference = match?.[1] === undefined ? null : parseReference(match[1]);
    return match === null || reference === null
      ? null
      : { reference, style: 'percent', start, end: start + match[0].length };
  }
  const close = marker === '{{' ? '}}' : '}';
  const inner = text.slice(start + 2, start + 2 + MAX_REFERENCE_LENGTH + close.length);
  const length = inner.indexOf(close);
  const reference = length === -1 ? null : parseReference(inner.slice(0, length));
  if (reference === null) return null;
  const style = marker === '{{' ? 'braces' : 'dollar';
  return { reference, style, start, end: start + 2 + length + close.length };
}

function joined(pieces: readonly Piece[]): string {
  let length = 0;
  const texts: string[] = [];
  for (const piece of pieces) {
    const text = 'text' in piece ? piece.text : toText(piece.value);
    length += text.length;
    if (length > MAX_TEXT_LENGTH) {
      throw new NodeError('A text became too large when its references were replaced', { code: 'TEMPLATE_TOO_LARGE' });
    }
    texts.push(text);
  }
  return texts.join('');
}
