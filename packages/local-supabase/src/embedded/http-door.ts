/**
 * The HTTP side of the embedded server: only the REST and Auth parts of what the library offers (its `/_system` pages
 * answer without a key).
 */
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { listenOnLoopback, type PortChoice, stopListening } from '../loopback.ts';
import type { Log } from '../ports.ts';
import { QueueFullError } from './task-queue.ts';

export interface HttpDoor {
  readonly port: number;
  close(): Promise<void>;
}

export interface HttpDoorOptions extends PortChoice {
  readonly log: Log;
  /** Largest request body in bytes; bigger ones are answered with 413. Default 64 MiB. */
  readonly maxBodyBytes?: number;
}

const openPaths = ['/rest/v1/', '/auth/v1/'];

export async function openHttpDoor(
  answer: (request: Request) => Promise<Response>,
  options: HttpDoorOptions,
): Promise<HttpDoor> {
  const { maxBodyBytes = 64 * 1024 * 1024, log } = options;
  let closing = false;
  const server = createAdaptorServer({
    overrideGlobalObjects: false,
    fetch: async (request) => {
      const url = new URL(request.url);
      if (!openPaths.some((path) => `${url.pathname}/`.startsWith(path))) return refuse(404, 'not found');
      const body = await readBody(request, maxBodyBytes);
      if (body === 'too-large') return refuse(413, `the body exceeds ${maxBodyBytes} bytes`);
      try {
        return await answer(new Request(url, { method: request.method, headers: request.headers, body }));
      } catch (error) {
        if (closing) return refuse(503, 'the server is stopping');
        if (error instanceof QueueFullError) return refuse(503, error.message);
        throw error;
      }
    },
  }) as Server;
  const port = await listenOnLoopback(server, options, log);
  return {
    port,
    close: () => {
      closing = true;
      return stopListening(server);
    },
  };
}

/** Read before the request takes its turn, so that a slow sender keeps nobody else waiting. */
async function readBody(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer> | null | 'too-large'> {
  if (request.body === null) return null;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > maxBytes) return 'too-large';
    chunks.push(chunk);
  }
  return Uint8Array.from(Buffer.concat(chunks));
}

function refuse(status: number, message: string): Response {
  return Response.json({ code: null, message, details: null, hint: null }, { status });
}
