/** A WebSocket as the link needs it: one that can be dropped at once, whatever the other side does. */
import { WebSocket } from 'ws';

export interface PushSocket {
  send(text: string): void;
  /** Gone at once, without a closing handshake that a dead peer would never answer. */
  drop(): void;
}

export interface PushSocketHandlers {
  readonly onOpen: () => void;
  readonly onData: (data: string | Uint8Array) => void;
  /** Once, at the end. `status`: of a handshake that was answered with something else. */
  readonly onClosed: (why: { readonly message: string; readonly status?: number }) => void;
}

export interface PushSocketLimits {
  /** In ms. */
  readonly handshakeTimeoutMs: number;
  /** A longer frame ends the socket, before it is read. */
  readonly maxFrameBytes: number;
}

export type OpenPushSocket = (url: string, handlers: PushSocketHandlers, limits: PushSocketLimits) => PushSocket;

export const openPushSocket: OpenPushSocket = (url, handlers, limits) => {
  const socket = new WebSocket(url, {
    handshakeTimeout: limits.handshakeTimeoutMs,
    maxPayload: limits.maxFrameBytes,
    perMessageDeflate: false,
    followRedirects: false,
  });
  let why: { readonly message: string; readonly status?: number } | undefined;
  socket.on('open', handlers.onOpen);
  socket.on('message', (data, isBinary) => {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer);
    handlers.onData(isBinary ? bytes : bytes.toString('utf8'));
  });
  socket.on('unexpected-response', (_request, response) => {
    const status = response.statusCode ?? 0;
    why = { message: `the handshake was answered with ${status}`, status };
    socket.terminate();
  });
  socket.on('error', (error) => {
    why ??= { message: error.message };
  });
  socket.on('close', (code) => {
    handlers.onClosed(why ?? { message: `closed with code ${code}` });
  });
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text, () => undefined);
    },
    drop: () => socket.terminate(),
  };
};
