/** The keys and the port of a server: made once, kept in the data folder for its owner's eyes only. */
import { readFile, rename, writeFile } from 'node:fs/promises';

export interface KeptSettings {
  readonly serviceKey: string;
  readonly anonKey: string;
  readonly jwtSecret: string;
  /** The port used last. */
  readonly port: number | null;
}

/** The settings kept in this file, or null when there is none yet. Throws when it is damaged. */
export async function readSettings(path: string): Promise<KeptSettings | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const value = JSON.parse(text) as Partial<KeptSettings>;
  if (!value.serviceKey || !value.anonKey || !value.jwtSecret) throw new Error(`${path} holds no keys`);
  return {
    serviceKey: value.serviceKey,
    anonKey: value.anonKey,
    jwtSecret: value.jwtSecret,
    port: value.port ?? null,
  };
}

/** Written beside and renamed, so that a crash leaves the old file or the new one. */
export async function writeSettings(path: string, settings: KeptSettings): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
}
