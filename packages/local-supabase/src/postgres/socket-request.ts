import { request } from 'node:http';

/** The status that a server on a Unix socket answers to GET `path`, or null when it does not answer. */
export function askOverSocket(socketPath: string, path: string): Promise<number | null> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path, agent: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? null));
    });
    asked.once('error', () => resolve(null));
    asked.end();
  });
}
