/** A database with Realtime's schema, and a server that hands its messages on, as Realtime does. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type SupabaseServer, startEmbeddedSupabase } from '@casare/local-supabase';
import { PhoenixServer, type RealtimeMessage, realtimeSchema } from '@casare/testing/realtime';
import { onTestFinished } from 'vitest';

const migrations = fileURLToPath(new URL('../../../../migrations', import.meta.url));

export interface RealtimeProject {
  readonly server: SupabaseServer;
  /** REST, Auth and Realtime under one address, as a project has them. */
  readonly url: string;
  readonly phoenix: PhoenixServer;
  /** Whether messages of the database reach the server of Realtime. */
  flows: boolean;
}

/** All of it is gone when the test ends. */
export async function startRealtimeProject(): Promise<RealtimeProject> {
  const migrationsDir = await mkdtemp(join(tmpdir(), 'casare-realtime-'));
  onTestFinished(() => rm(migrationsDir, { recursive: true, force: true }));
  await cp(migrations, migrationsDir, { recursive: true });
  await writeFile(join(migrationsDir, '000_realtime.sql'), realtimeSchema);
  const server = await startEmbeddedSupabase({ migrationsDir });
  onTestFinished(() => server.stop());
  const phoenix = await new PhoenixServer().start();
  onTestFinished(() => phoenix.stop());
  const project = { server, phoenix, url: await startGateway(server.url, phoenix), flows: true };
  const replication = replicate(project);
  onTestFinished(() => replication.stop());
  return project;
}

/** One door for both: upgrades go to Realtime, everything else to REST and Auth. */
async function startGateway(restUrl: string, phoenix: PhoenixServer): Promise<string> {
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
  onTestFinished(() => {
    gateway.closeAllConnections();
    gateway.close();
  });
  return `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
}

function replicate(project: RealtimeProject): { stop(): Promise<void> } {
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
