/**
 * Who this robot is, across restarts and without a database: its id in `robot.json` of its home folder,
 * and which boot of the machine this is (persisted leases belong to one boot, I2).
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { HomeError, prepareHome, readJson, writeJsonDurably } from './home-folder.ts';

export interface RobotIdentity {
  readonly robotId: string;
  readonly bootId: string;
}

/** A UUID in its usual form. */
export const uuidPattern: RegExp = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** @throws HomeError when the home folder or its `robot.json` cannot be used */
export async function loadIdentity(home: string, configuredId?: string | null): Promise<RobotIdentity> {
  await prepareHome(home);
  return { robotId: configuredId ?? (await storedId(join(home, 'robot.json'))), bootId: await currentBootId() };
}

/** The id of the robot of a home; null when there is none, or its file cannot be read. */
export async function robotIdOf(home: string): Promise<string | null> {
  return idIn(await readJson(join(home, 'robot.json')).catch(() => undefined));
}

function idIn(stored: unknown): string | null {
  const id = (stored as { robot_id?: unknown } | null | undefined)?.robot_id;
  return typeof id === 'string' && uuidPattern.test(id) ? id : null;
}

async function storedId(path: string): Promise<string> {
  const stored = await readJson(path);
  if (stored !== undefined) {
    const id = idIn(stored);
    if (id !== null) return id;
    throw new HomeError(
      `${path} holds no robot_id (a UUID); restore it; if it is lost, delete the file to become a new robot, which leaves the old one's unfinished jobs alone`,
    );
  }
  const robotId = randomUUID();
  await writeJsonDurably(path, { robot_id: robotId });
  return robotId;
}

async function currentBootId(): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch {
    const bootedAtMinute = Math.round((Date.now() / 1_000 - uptime()) / 60);
    return `booted-${bootedAtMinute}`;
  }
}
