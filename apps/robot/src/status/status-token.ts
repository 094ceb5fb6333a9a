/** The token of the status page's actions: the one of the configuration, else one of the robot's own, kept in its home. */
import { randomBytes } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const tokenFileName = 'status-token';

/** @param given the token of the configuration */
export async function loadStatusToken(home: string, given: string | null): Promise<string> {
  if (given !== null) return given;
  const path = join(home, tokenFileName);
  const kept = await readFile(path, 'utf8').catch(() => '');
  if (/^[\w-]{32,}\n?$/.test(kept)) {
    await chmod(path, 0o600);
    return kept.trim();
  }
  const token = randomBytes(32).toString('base64url');
  await writeFile(path, `${token}\n`, { mode: 0o600 });
  await chmod(path, 0o600);
  return token;
}
