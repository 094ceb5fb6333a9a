/** A database with Realtime's schema, and a server that hands its messages on, as Realtime does. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type SupabaseServer, startEmbeddedSupabase } from '@casare/local-supabase';
import { PhoenixServer, type RealtimeMessage, realtimeSchema } from '@casare/testing/realtime';

const migrations = fileURLToPath(new URL('../../../../migrations', import.meta.url));

export interface RealtimeProject {
  readonly server: SupabaseServer;
  /** REST, Auth and Realtime under one address, as a project has them. */
  readonly url: string;
  readonly phoenix: PhoenixServer;
  /** Whether messages of the database reach the server of Realtime. */
  flows: boolean;
  stop(): Promise<void>;
}

export async function startRealtimeProject(): Promise<RealtimeProject> {
  const migrationsDir = await mkdtemp(join(tmpdir(), 'casare-realtime-'));
  await cp(migrations, migrationsDir, { recursive: true });
  await writeFile(join(migrationsDir, '000_realtime.sql'), realtimeSchema);
  const server = await startEmbeddedSupabase({ migrationsDir });
  const phoenix = await new PhoenixServer().start();
  const gateway = await startGateway(server.url, phoenix);
  const { port } = gateway.address() as AddressInfo;
  const project = { server, phoenix, url: `http://127.0.0.1:${port}`, flows: true };
  const replication = replicate(project);
  const stop = async (): Promise<void> => {
    await replication.stop();
    await phoenix.stop();
    gateway.closeAllConnections();
    gateway.close();
    await server.stop();
    await rm(migrationsDir, { recursive: true, force: true });
  };
  return Object.assign(project, { stop });
}

/** One door for both: upgrades go to Realtime, everything else to REST and Auth. */
async function startGateway(restUrl: string, phoenix: PhoenixServer): Promise<Server> {
  const rest = new URL(restUrl);
  const gateway = createServer((incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const onward = request({ host: rest.hostname, port: rest.port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  gateway.on('upgrade', (incoming, socket, head) => phoenix.upgrade(incoming, socket, head));
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  return gateway;
}

function replicate(project: Omit<RealtimeProject, 'stop'>): { stop(): Promise<void> } {
  let isStopped = false;
  let last = 0;
  const done = (async () => {
    while (!isStopped) {
      const rows = await project.server.sql<RealtimeMessage & { id: number }>(
        'select id, topic, event, payload from realtime.messages where id > $1 order by id',
        [last],
      );
      for (const { id, topic, event, payload } of rows) {
        last = id;
        if (project.flows) project.phoenix.broadcast(topic, event, payload);
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  })().catch((error: unknown) => {
    if (!isStopped) throw error;
  });
  return {
    stop: async () => {
      isStopped = true;
      await done;
    },
  };
}
