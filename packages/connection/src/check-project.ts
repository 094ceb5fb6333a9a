/** What a project's address and key must look like. */
import { verdict } from './classification/verdict.ts';
import { ConnectionError } from './errors.ts';

/** @throws ConnectionError `INVALID_URL` (class P) */
export function checkUrl(text: string): string {
  const url = typeof text === 'string' ? URL.parse(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new ConnectionError(
      'the URL of the project must begin with http:// or https://',
      verdict('P', 'INVALID_URL'),
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new ConnectionError(
      'the URL of the project must not contain a name or password',
      verdict('P', 'INVALID_URL'),
    );
  }
  return text;
}

/** @throws ConnectionError `INVALID_KEY` (class P); the message does not show the key */
export function checkKey(key: string): string {
  if (typeof key !== 'string' || !/^[\x21-\x7e]+$/.test(key)) {
    const fault =
      typeof key !== 'string'
        ? 'is missing'
        : key === ''
          ? 'is empty'
          : 'contains spaces, line breaks or characters that no key has';
    throw new ConnectionError(`the key ${fault}`, verdict('P', 'INVALID_KEY', { remedy: 'copy the key once more' }));
  }
  return key;
}
