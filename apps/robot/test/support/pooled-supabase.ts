import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { SupabaseServer } from '@casare/local-supabase';
import { inject } from 'vitest';
import type { PoolAnswer, PoolRequest } from './pool-protocol.ts';

export type PooledSupabase = Pick<SupabaseServer, 'url' | 'serviceKey' | 'anonKey' | 'sql' | 'stop'>;

/**
 * An embedded Supabase without robots and jobs, for this file alone until `stop`, which gives it back. A test that stops,
 * kills or restarts its server, or brings data or migrations of its own, starts one.
 */
export async function pooledSupabase(): Promise<PooledSupabase> {
  const socket = connect(inject('supabasePool'), '127.0.0.1');
  const waiting = new Map<number, PromiseWithResolvers<readonly unknown[]>>();
  const greeting = Promise.withResolvers<Extract<PoolAnswer, { kind: 'server' }>>();
  const failAll = (error: Error): void => {
    greeting.reject(error);
    for (const { reject } of waiting.values()) reject(error);
  };
  socket.on('error', failAll);
  socket.on('close', () => failAll(new Error('the pool of databases has closed the connection')));
  createInterface({ input: socket }).on('line', (line) => {
    const answer = JSON.parse(line) as PoolAnswer;
    if (answer.kind === 'server') return greeting.resolve(answer);
    const asked = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.kind === 'rows') asked?.resolve(answer.rows);
    else asked?.reject(new Error(answer.message));
  });
  const { url, serviceKey, anonKey } = await greeting.promise;
  let requests = 0;
  return {
    url,
    serviceKey,
    anonKey,
    async sql<T>(text: string, params: readonly unknown[] = []): Promise<T[]> {
      requests += 1;
      const request: PoolRequest = { id: requests, text, params };
      const asked = Promise.withResolvers<readonly unknown[]>();
      waiting.set(request.id, asked);
      socket.write(`${JSON.stringify(request)}\n`);
      return [...((await asked.promise) as readonly T[])];
    },
    async stop() {
      if (socket.closed) return;
      socket.end();
      await once(socket, 'close');
    },
  };
}
