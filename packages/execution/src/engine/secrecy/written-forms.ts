/** The forms in which a secret is usually written, so that it is recognized in them. */

/** Shorter lines, and pieces of an encoded text, would be found everywhere. */
const MIN_PIECE_CHARS = 5;
/** A shorter secret in other letters is too often an ordinary word. */
const MIN_FOLDED_CHARS = 4;

/**
 * As it is, each of its lines, as in a URL, in JSON (also inside of a text in JSON) and in HTML, in small and in capital
 * letters, and as Base64 (also URL-safe, and as a part of something longer), hexadecimal digits and a list of its
 * UTF-8 bytes.
 */
export function writtenForms(secret: string): readonly string[] {
  const bytes = Buffer.from(secret, 'utf8');
  const hex = bytes.toString('hex');
  const pieces = [...linesOf(secret), hex, hex.toUpperCase(), ...base64Forms(bytes), ...byteLists(bytes)];
  const forms = [
    ...[secret, ...urlForms(secret), ...jsonForms(secret), ...htmlForms(secret)],
    ...pieces.filter((piece) => piece.length >= MIN_PIECE_CHARS),
    ...[secret, ...linesOf(secret)].flatMap(inOtherLetters),
  ];
  return [...new Set(forms)];
}

/** A key file, say, is printed and logged line by line, and a URL loses what ends its lines. */
function linesOf(text: string): readonly string[] {
  if (!/[\t\r\n]/.test(text)) return [];
  return [...text.split(/[\r\n]+/).map((line) => line.trim()), text.replaceAll(/[\t\r\n]/g, '')];
}

function inOtherLetters(text: string): readonly string[] {
  return text.length < MIN_FOLDED_CHARS ? [] : [text.toLowerCase(), text.toUpperCase()];
}

function jsonForms(text: string): readonly string[] {
  const escaped = (inner: string): string => JSON.stringify(inner).slice(1, -1);
  const once = escaped(text);
  const twice = escaped(once);
  return [once, twice, escaped(twice)];
}

function htmlForms(text: string): readonly string[] {
  const least = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return [least, least.replaceAll('>', '&gt;')].flatMap((escaped) => [
    escaped,
    escaped.replaceAll('"', '&quot;'),
    escaped.replaceAll('"', '&quot;').replaceAll("'", '&#39;'),
  ]);
}

/** As a buffer is in JSON, and as Node.js prints lists and buffers. */
function byteLists(bytes: Buffer): readonly string[] {
  return [bytes.join(','), bytes.join(', '), bytes.toString('hex').replaceAll(/..(?!$)/g, '$& ')];
}

/** Base64 writes three bytes as four characters: what a piece looks like depends on where in three it begins. */
function base64Forms(bytes: Buffer): string[] {
  const forms: string[] = [];
  for (const before of [0, 1, 2]) {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const whole = text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    forms.push(whole, whole.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return forms;
}

/** As programs and browsers write it into a part of a URL: which characters they escape differs, and in which letters. */
function urlForms(text: string): readonly string[] {
  const wellFormed = text.toWellFormed();
  const escaped = (which: RegExp): string =>
    wellFormed.replace(which, (character) => (character === "'" ? '%27' : encodeURIComponent(character)));
  const forms = [
    encodeURIComponent(wellFormed),
    encodeURIComponent(wellFormed).replaceAll("'", '%27'),
    encodeURIComponent(wellFormed).replace(
      /[!'()*]/g,
      (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
    ),
    encodeURI(wellFormed),
    new URLSearchParams([['', wellFormed]]).toString().slice(1),
    escaped(/[^!-~]|["#<>']/gu), // the query of a WHATWG URL
    escaped(/[^!-~]|["#<>?^`{}]/gu), // its path
    escaped(/[^!-~]|["#<>?^`{}/:;=@[\\\]|]/gu), // its user and password
  ];
  return forms.flatMap((form) => [form, form.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]);
}
