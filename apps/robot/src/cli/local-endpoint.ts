/** Where the embedded Supabase of this machine answers, so that other commands find it. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConnectionSettings } from '@casare/config';
import { writeJsonDurably } from '../home-folder.ts';

export interface LocalEndpoint {
  readonly url: string;
  readonly key: string;
}

export function endpointFile(dataDir: string): string {
  return join(dataDir, 'endpoint.json');
}

export async function publishEndpoint(dataDir: string, endpoint: LocalEndpoint): Promise<void> {
  await writeJsonDurably(endpointFile(dataDir), endpoint);
}

export async function withdrawEndpoint(dataDir: string): Promise<void> {
  await rm(endpointFile(dataDir), { force: true });
}

/** Whether it answers a question to its database in time; with what does not matter. Never rejects. */
export async function answersIn({ url, key }: LocalEndpoint, limit: AbortSignal): Promise<boolean> {
  try {
    const headers = { apikey: key, authorization: `Bearer ${key}` };
    const answer = await fetch(`${url}/rest/v1/rpc/schema_version`, { method: 'POST', headers, signal: limit });
    await answer.arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** Makes `connection` mean this server, whose key speaks for itself: a sign-in belongs to another one. */
export function useEndpoint(connection: ConnectionSettings, { url, key }: LocalEndpoint): void {
  Object.assign(connection, { url, key, email: null, password: null, jwt: null, jwtFile: null });
}

/** @throws Error when the text is not an endpoint */
export function parseEndpoint(text: string): LocalEndpoint {
  const value = JSON.parse(text) as Partial<LocalEndpoint>;
  if (typeof value.url !== 'string' || typeof value.key !== 'string') throw new Error('not an endpoint file');
  return { url: value.url, key: value.key };
}
