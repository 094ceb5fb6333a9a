/**
 * Embedded Supabases that the test files use one after the other: starting one takes several seconds of CPU, emptying one
 * next to nothing. A file has its server to itself for as long as its connection to this pool is open; whatever becomes of
 * the file, its end frees the server. Started when they are asked for: as many as there are files at a time.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { type SupabaseServer, startEmbeddedSupabase } from '@casare/local-supabase';
import type { TestProject } from 'vitest/node';
import type { PoolAnswer, PoolRequest } from './pool-protocol.ts';

interface PooledServer {
  readonly server: SupabaseServer;
  /** Tables that a new database has nothing in. */
  readonly emptyTables: readonly string[];
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const free: Promise<PooledServer>[] = [];
  const all: Promise<PooledServer>[] = [];
  const door = createServer((socket) => void serve(socket, take, (pooled) => free.push(emptied(pooled))));
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  project.provide('supabasePool', (door.address() as AddressInfo).port);
  return async () => {
    door.close();
    for (const { server } of await Promise.all(all)) await server.stop();
  };

  function take(): Promise<PooledServer> {
    const pooled = free.pop();
    if (pooled !== undefined) return pooled;
    const started = start();
    all.push(started);
    return started;
  }
}

async function start(): Promise<PooledServer> {
  const server = await startEmbeddedSupabase();
  const tables = await server.sql<{ name: string }>(
    "select quote_ident(tablename) as name from pg_tables where schemaname = 'public'",
  );
  const emptyTables: string[] = [];
  for (const { name } of tables) {
    const [row] = await server.sql(`select 1 from public.${name} limit 1`);
    if (row === undefined) emptyTables.push(`public.${name}`);
  }
  return { server, emptyTables };
}

/** Also of what nobody may change, which triggers see to: they do not fire for a replica. */
async function emptied(pooled: PooledServer): Promise<PooledServer> {
  const truncate = `truncate ${pooled.emptyTables.join(', ')}`;
  await pooled.server.sql(`begin; set local session_replication_role = replica; ${truncate}; commit`);
  return pooled;
}

async function serve(
  socket: Socket,
  take: () => Promise<PooledServer>,
  free: (pooled: PooledServer) => void,
): Promise<void> {
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => socket.destroy());
  const pooled = await take();
  const { server } = pooled;
  const say = (answer: PoolAnswer): void => void socket.write(`${JSON.stringify(answer)}\n`);
  createInterface({ input: socket }).on('line', (line) => void answer(JSON.parse(line) as PoolRequest));
  say({ kind: 'server', url: server.url, serviceKey: server.serviceKey, anonKey: server.anonKey });
  await closed;
  free(pooled);

  async function answer({ id, text, params }: PoolRequest): Promise<void> {
    try {
      say({ kind: 'rows', id, rows: await server.sql(text, params) });
    } catch (error) {
      say({ kind: 'failed', id, message: error instanceof Error ? error.message : String(error) });
    }
  }
}
