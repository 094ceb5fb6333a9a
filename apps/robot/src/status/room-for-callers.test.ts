import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, it } from 'vitest';
import { keepRoomForCallers } from './room-for-callers.ts';

it('answers the next caller although all places are taken by connections that say nothing', async () => {
  const server = createServer((_request, response) => response.end('alive'));
  keepRoomForCallers(server, 4);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const silent = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const socket = connect(port, '127.0.0.1');
      await Promise.all([once(socket, 'connect'), once(server, 'connection')]);
      return socket;
    }),
  );
  const gone = Promise.race(silent.map((socket) => once(socket, 'close')));
  for (let call = 0; call < 12; call += 1) {
    expect(await (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text()).toBe('alive');
  }
  await gone;
  for (const socket of silent) socket.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
