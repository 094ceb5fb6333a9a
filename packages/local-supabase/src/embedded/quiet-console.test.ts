import { expect, test } from 'vitest';
import { quietConsole } from './quiet-console.ts';

test('what the library writes to the console becomes a line without parameters', () => {
  const lines: string[] = [];
  const console = { debug() {}, log() {}, info() {}, warn() {}, error(..._: unknown[]) {} };
  quietConsole((level, message) => lines.push(`${level}: ${message}`), console);
  const refused = Object.assign(new Error('duplicate key: (secret)'), { code: '23505', params: ['secret'] });

  console.error(refused);
  console.error('Introspection failed:', refused);
  console.error(new Error('plain'));

  expect(lines).toEqual([
    'debug: a request failed in the database with SQLSTATE 23505',
    'debug: Introspection failed:',
    'debug: plain',
  ]);
});
