/** Listening on 127.0.0.1, and stopping without waiting for idle keep-alive connections. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LocalSupabaseError } from './errors.ts';
import type { Log } from './ports.ts';

export interface PortChoice {
  /** The port that must be used. */
  readonly asked: number | null;
  /** The port used last: taken again if it is free. */
  readonly last: number | null;
}

/** Resolves with the port that `server` listens on. Rejects with code `PORT_IN_USE` when the one asked for is taken. */
export async function listenOnLoopback(server: Server, choice: PortChoice, log: Log): Promise<number> {
  if (choice.asked !== null) return listenOn(server, choice.asked);
  if (choice.last === null) return listenOn(server, 0);
  try {
    return await listenOn(server, choice.last);
  } catch (error) {
    if (!(error instanceof LocalSupabaseError)) throw error;
    log('warning', `port ${choice.last}, used the last time, is taken; choosing another one`);
    return listenOn(server, 0);
  }
}

/** Cuts every connection; resolves when the port is free again. */
export function stopListening(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) {
      resolve();
      return;
    }
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function listenOn(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      reject(
        error.code === 'EADDRINUSE'
          ? new LocalSupabaseError('PORT_IN_USE', `port ${port} on 127.0.0.1 is in use`, { cause: error })
          : error,
      );
    };
    server.once('error', onError);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.off('error', onError);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
