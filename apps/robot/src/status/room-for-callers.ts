/** Keeps a server open for the next caller: whoever is connected and asks nothing has to go when the places are taken. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The oldest connection without a request being answered is closed for a new one; where all are answered, the new one is.
 *
 * @param most connections at a time; for the moment of the change there may be twice as many
 * @example
 * keepRoomForCallers(createServer(answer), 64);
 */
export function keepRoomForCallers(server: Server, most: number): void {
  server.maxConnections = 2 * most;
  const silent = new Set<Socket>();
  const answered = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => {
      silent.delete(socket);
      answered.delete(socket);
    });
    if (silent.size + answered.size <= most) return;
    const [oldest] = silent;
    if (oldest === undefined) return;
    silent.delete(oldest);
    oldest.destroy();
  });
  server.on('request', ({ socket }, response) => {
    if (!silent.delete(socket)) return;
    answered.add(socket);
    response.once('close', () => {
      if (answered.delete(socket) && !socket.destroyed) silent.add(socket);
    });
  });
}
