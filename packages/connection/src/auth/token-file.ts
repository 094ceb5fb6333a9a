/** A token that another program keeps up to date in a file, such as a mounted secret. */
import { readFile } from 'node:fs/promises';
import { requireText } from '../argument-error.ts';
import { verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';

/**
 * A `TokenProvider` that reads `path` anew each time; white space around the token does not matter.
 *
 * @throws ArgumentError without a path
 * @throws (the provider) ConnectionError `TOKEN_FILE` (class U, so that it is tried again) when it cannot be read
 *
 * @example
 * const manager = new ConnectionManager({ url, key, auth: { kind: 'jwt', token: tokenFile('/run/secrets/robot.jwt') } });
 */
export function tokenFile(path: string): (signal: AbortSignal) => Promise<string> {
  requireText('path', path);
  return async (signal) => {
    try {
      const text = (await readFile(path, { encoding: 'utf8', signal })).trim();
      if (text !== '') return text;
    } catch (error) {
      if (signal.aborted) throw error;
      throw unreadable(`cannot read the token file ${path}: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`);
    }
    throw unreadable(`the token file ${path} is empty`);
  };
}

function unreadable(message: string): ConnectionError {
  return new ConnectionError(message, verdict('U', 'TOKEN_FILE', { remedy: 'put a valid token into that file' }));
}
