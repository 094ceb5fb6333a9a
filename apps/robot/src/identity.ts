/**
 * Who this robot is, across restarts and without a database: its id in `robot.json` of its home folder,
 * and which boot of the machine this is (persisted leases and monotonic times belong to one boot, I2).
 */
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises';
import { uptime } from 'node:os';
import { join } from 'node:path';

export interface RobotIdentity {
  readonly robotId: string;
  readonly bootId: string;
}

export async function loadIdentity(home: string, configuredId?: string | null): Promise<RobotIdentity> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  await chmod(home, 0o700);
  return { robotId: configuredId ?? (await storedId(join(home, 'robot.json'))), bootId: await currentBootId() };
}

async function storedId(path: string): Promise<string> {
  const stored = await readJson(path);
  if (stored !== null) {
    const id = (stored as { robot_id?: unknown }).robot_id;
    if (typeof id === 'string' && /^[0-9a-f-]{36}$/i.test(id)) return id;
    throw new Error(`${path} holds no robot_id; restore it, or delete the file to enrol as a new robot`);
  }
  const robotId = randomUUID();
  await writeJsonDurably(path, { robot_id: robotId });
  return robotId;
}

async function currentBootId(): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch {
    const bootedAtMinute = Math.round((Date.now() / 1000 - uptime()) / 60);
    return `booted-${bootedAtMinute}`;
  }
}

/** The file's JSON; null when there is no file. */
export async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is not valid JSON; restore or delete it`, { cause: error });
  }
}

/** Replaces the file in one step; when this resolves, the new content survives a crash. */
export async function writeJsonDurably(path: string, value: unknown): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(value)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
