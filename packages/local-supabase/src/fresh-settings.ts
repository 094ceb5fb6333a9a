import { randomBytes } from 'node:crypto';
import { generateApiKey } from '@supabase/lite';
import type { KeptSettings } from './kept-settings.ts';

/** Keys that no other server has. */
export async function freshSettings(): Promise<KeptSettings> {
  const [service, anon] = await Promise.all([generateApiKey('secret'), generateApiKey('publishable')]);
  const jwtSecret = randomBytes(48).toString('base64url');
  return { serviceKey: service.key, anonKey: anon.key, jwtSecret, port: null };
}
