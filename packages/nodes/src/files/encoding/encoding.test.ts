import { describe, expect, test } from 'vitest';
import type { ErrorsMode } from './codec.ts';
import { codecFor } from './codec-for.ts';

function hexOf(text: string, encoding: string, errors: ErrorsMode = 'strict', atStart = true): string {
  return codecFor(encoding).encode(text, { errors, atStart }).toString('hex');
}

function textOf(hex: string, encoding: string, errors: ErrorsMode = 'strict'): string {
  return codecFor(encoding).decode(Buffer.from(hex, 'hex'), errors);
}

/** Bytes as Python writes them on a little-endian machine. */
describe('encodings write and read the bytes that Python does', () => {
  test.each([
    ['utf-8', 'é€😀', 'c3a9e282acf09f9880'],
    ['UTF8', 'é', 'c3a9'],
    ['utf-8-sig', 'é', 'efbbbfc3a9'],
    ['utf-16', 'é', 'fffee900'],
    ['utf-16-le', 'é', 'e900'],
    ['utf_16_be', 'é😀', '00e9d83dde00'],
    ['ascii', 'abc', '616263'],
    ['latin-1', 'é\u0080', 'e980'],
    ['ISO-8859-1', 'é', 'e9'],
    ['cp1252', '€é', '80e9'],
    ['windows-1252', '€', '80'],
    ['iso8859_15', '€', 'a4'],
    ['cp1250', 'ř', 'f8'],
    ['koi8-r', 'ж', 'd6'],
    ['cp866', 'ж', 'a6'],
  ])('%s: %j is %s', (encoding, text, hex) => {
    expect(hexOf(text, encoding)).toBe(hex);
    expect(textOf(hex, encoding)).toBe(text);
  });

  test('a byte order mark is written at the start of a file only', () => {
    expect(hexOf('a', 'utf-16', 'strict', false)).toBe('6100');
    expect(hexOf('a', 'utf-8-sig', 'strict', false)).toBe('61');
  });

  test('utf-16 is read by its mark, and as little-endian without one', () => {
    expect(textOf('feff00e9', 'utf-16')).toBe('é');
    expect(textOf('e900', 'utf-16')).toBe('é');
  });

  test('encodings of several bytes can be read but not written', () => {
    expect(textOf('93fa967b', 'shift_jis')).toBe('日本');
    expect(() => hexOf('日', 'shift_jis')).toThrow('Text cannot be written as shift_jis');
  });

  test('an unknown encoding is refused', () => {
    expect(() => codecFor('klingon')).toThrow('There is no encoding "klingon"');
  });
});

describe('what cannot be encoded goes by the errors mode', () => {
  test.each<[ErrorsMode, string]>([
    ['ignore', 'ab'],
    ['replace', 'a?b'],
    ['backslashreplace', 'a\\u20acb'],
    ['xmlcharrefreplace', 'a&#8364;b'],
  ])('%s', (errors, written) => {
    expect(codecFor('latin-1').encode('a€b', { errors, atStart: true }).toString('latin1')).toBe(written);
  });

  test('strict names the character and its place', () => {
    expect(() => hexOf('a€', 'ascii')).toThrow('ascii has no character U+20AC (position 1 of the text)');
    expect(() => hexOf('a\ud800', 'utf-8')).toThrow('utf-8 has no character U+D800');
    expect(hexOf('a\ud800b', 'utf-8', 'replace')).toBe('613f62');
    expect(hexOf('a\ud800b', 'utf-16-le', 'ignore')).toBe('61006200');
  });
});

describe('what cannot be decoded goes by the errors mode', () => {
  test.each<[string, ErrorsMode, string]>([
    ['61ff62', 'ignore', 'ab'],
    ['61ff62', 'replace', 'a\ufffdb'],
    ['61ff62', 'backslashreplace', 'a\\xffb'],
    ['61e282', 'replace', 'a\ufffd'],
    ['f08080', 'replace', '\ufffd\ufffd\ufffd'],
    ['eda080', 'replace', '\ufffd\ufffd\ufffd'],
    ['c3a9efbfbd', 'ignore', 'é\ufffd'],
  ])('utf-8 %s with %s', (hex, errors, text) => {
    expect(textOf(hex, 'utf-8', errors)).toBe(text);
  });

  test('strict names the byte and its place', () => {
    expect(() => textOf('6162e9', 'utf-8')).toThrow('The file is not utf-8: 0xe9 at byte 2 means nothing there');
    expect(() => textOf('6180', 'ascii')).toThrow('0x80 at byte 1');
    expect(() => textOf('6100d8', 'utf-16-le')).toThrow('0xd8 at byte 2');
    expect(() => textOf('00d8', 'utf-16-le')).toThrow('at byte 0');
  });

  test('a byte order mark of plain utf-8 stays in the text', () => {
    expect(textOf('efbbbf61', 'utf-8')).toBe('\ufeffa');
    expect(textOf('efbbbf61', 'utf-8-sig')).toBe('a');
  });
});
