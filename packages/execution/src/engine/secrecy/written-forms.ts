/** The forms in which a secret is usually written, so that it is recognized in them. */

/** Shorter pieces of an encoded text would be found everywhere. */
const MIN_ENCODED_CHARS = 6;

/**
 * As it is, as in a URL, as in JSON, and as Base64 (also URL-safe, and as a part of something longer) and hexadecimal
 * digits of its UTF-8 bytes.
 */
export function writtenForms(secret: string): readonly string[] {
  const bytes = Buffer.from(secret, 'utf8');
  const hex = bytes.toString('hex');
  const encoded = [hex, hex.toUpperCase(), ...base64Forms(bytes)].filter((form) => form.length >= MIN_ENCODED_CHARS);
  const forms = [secret, ...urlForms(secret), JSON.stringify(secret).slice(1, -1), ...encoded];
  return [...new Set(forms)];
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

/** As programs and browsers write it into a part of a URL: which characters they escape differs. */
function urlForms(text: string): readonly string[] {
  const wellFormed = text.toWellFormed();
  const escaped = (which: RegExp): string =>
    wellFormed.replace(which, (character) => (character === "'" ? '%27' : encodeURIComponent(character)));
  return [
    encodeURIComponent(wellFormed),
    encodeURI(wellFormed),
    new URLSearchParams([['', wellFormed]]).toString().slice(1),
    escaped(/[^!-~]|["#<>']/gu), // the query of a WHATWG URL
    escaped(/[^!-~]|["#<>?^`{}]/gu), // its path
  ];
}
