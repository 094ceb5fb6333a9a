/** The token of the status page's actions: the one of the configuration, else one of the robot's own, kept in its home. */
import { randomBytes } from 'node:crypto';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const tokenFileName = 'status-token';

/** @param given the token of the configuration */
export async function loadStatusToken(home: string, given: string | null): Promise<string> {
  if (given !== null) return given;
  const path = join(home, tokenFileName);
  const kept = await readFile(path, 'utf8').catch(() => '');
  if (/^[\w-]{32,}\n?$/.test(kept)) {
    await keepFromOthers(path);
    return kept.trim();
  }
  const token = randomBytes(32).toString('base64url');
  await writeFile(path, `${token}\n`, { mode: 0o600 });
  await keepFromOthers(path);
  return token;
}

/** What a link leads to is left alone when it is no file, but a device of the machine's. */
async function keepFromOthers(path: string): Promise<void> {
  if ((await stat(path)).isFile()) await chmod(path, 0o600);
}
