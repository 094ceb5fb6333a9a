/**
 * The forms in which a secret is searched for, beside those that `unescaped` undoes: as it is, composed and decomposed
 * (Unicode NFC, NFD), with `+` for spaces, its longer lines one by one, as Base64 (also URL-safe, and as a part of
 * something longer, such as `user:secret`), as hexadecimal digits and as a list of its bytes.
 */
import { unescaped } from './unescaped.ts';

/** Shorter pieces of an encoded text would be found everywhere. */
const shortestPiece = 5;
const shortestLine = 8;
/** Layers of escapes that are taken off: JSON in JSON in a URL in JSON. */
export const mostLayers = 4;
const shortestUnescaped = 4;

export function writtenForms(secret: string): readonly string[] {
  const texts = [secret, secret.normalize('NFC'), secret.normalize('NFD'), ...linesOf(secret)];
  const forms = texts.flatMap((text) => {
    const bytes = Buffer.from(text, 'utf8');
    const hex = bytes.toString('hex');
    const pieces = [...base64Forms(bytes), hex, hex.toUpperCase(), ...byteLists(bytes, hex)];
    return [text, ...layersOf(text), ...pieces.filter(({ length }) => length >= shortestPiece)];
  });
  const spaced = forms
    .filter((form) => form.includes(' ') && form.length >= shortestPiece)
    .map((form) => form.replaceAll(' ', '+'));
  return [...new Set([...forms, ...spaced])];
}

/** What is left of a secret that holds something like escapes itself, when a text's escapes are undone. */
function layersOf(text: string): readonly string[] {
  const layers: string[] = [];
  let outer = text;
  for (let layer = unescaped(text); layer !== outer && layers.length < mostLayers; layer = unescaped(layer)) {
    if (layer.length >= shortestUnescaped) layers.push(layer);
    outer = layer;
  }
  return layers;
}

/** A key file, say, is printed and logged line by line. */
function linesOf(text: string): readonly string[] {
  if (!/[\r\n]/.test(text)) return [];
  return text
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter(({ length }) => length >= shortestLine);
}

/** Base64 writes three bytes as four characters: what a piece looks like depends on where in three it begins. */
function base64Forms(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const whole = text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return [whole, whole.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/** As a buffer is in JSON, and as Node.js prints lists and buffers. */
function byteLists(bytes: Buffer, hex: string): readonly string[] {
  return [bytes.join(','), bytes.join(', '), hex.replaceAll(/..(?!$)/g, '$& ')];
}
