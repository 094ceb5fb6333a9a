/**
 * A robot is in one place on a machine: a copy of its home would take up its jobs a second time, with the same leases, so
 * that nobody could tell the two apart. The one that runs listens on a socket named after its id, in a folder that
 * belongs to its user; who finds somebody there does not start. On other machines the server notices, see
 * `instance/robot-instance.ts`.
 */
import { createHash } from 'node:crypto';
import { lstat, mkdir, rm } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '@casare/execution';
import { messageOf } from './message-of.ts';

/** The robot runs already: on this machine from another home, or elsewhere. */
export class RobotTwinError extends Error {
  readonly code = 'ROBOT_TWIN';
  readonly category = 'permanent' as const;
}

export interface OnePlace {
  /** Idempotent. */
  release(): Promise<void>;
}

interface Holder {
  readonly home: string;
  readonly pid: number;
}

/** How long one that has the place may take to say who it is, in ms. */
const answerLimitMs = 2_000;

/**
 * @throws RobotTwinError when the robot runs already; where a socket cannot be made, that is logged, and the robot works
 */
export async function takePlace(robotId: string, home: string, logger: Logger): Promise<OnePlace> {
  const path = await placeOf(robotId).catch(() => null);
  if (path === null) return nowhere;
  try {
    return await listen(path, { home, pid: process.pid });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return unguarded(error, logger);
  }
  const holder = await ask(path);
  if (holder !== null) {
    throw new RobotTwinError(
      `robot ${robotId} runs already, from ${holder.home} (process ${holder.pid}): ${home} is a copy of it, and both would do the same jobs. To make the copy a robot of its own, delete robot.json, instance.json, claim-request.json and the store.db files in it`,
    );
  }
  await rm(path, { force: true });
  return listen(path, { home, pid: process.pid }).catch((error: unknown) => unguarded(error, logger));
}

const nowhere: OnePlace = { release: async () => undefined };

function unguarded(error: unknown, logger: Logger): OnePlace {
  logger.log('warning', `a copy of this robot on this machine would not be noticed: ${messageOf(error)}`);
  return nowhere;
}

/** Null where others could take the place. */
async function placeOf(robotId: string): Promise<string | null> {
  if (process.platform === 'win32') return `\\\\.\\pipe\\casare-robot-id-${robotId}`;
  // The path of a socket is short: the temporary folder of macOS takes half of it.
  const name = createHash('sha256').update(robotId).digest('hex').slice(0, 16);
  const { uid } = userInfo();
  const folder = join(tmpdir(), `casare-robots-${uid}`);
  await mkdir(folder, { mode: 0o700 }).catch(() => undefined);
  const found = await lstat(folder);
  const isOurs = found.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0;
  return isOurs ? join(folder, name) : null;
}

async function listen(path: string, holder: Holder): Promise<OnePlace> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(JSON.stringify(holder));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  server.on('error', () => undefined);
  server.unref();
  let closed: Promise<void> | null = null;
  return {
    release() {
      closed ??= new Promise((resolve) => server.close(() => resolve()));
      return closed;
    },
  };
}

/** Null when nobody is there: the one who was has died. */
function ask(path: string): Promise<Holder | null> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    let text = '';
    socket.setEncoding('utf8');
    // One that is stopped takes the connection, and is there.
    socket.setTimeout(answerLimitMs, () => {
      resolve({ home: 'another home', pid: 0 });
      socket.destroy();
    });
    socket.on('data', (piece: string) => {
      text += piece;
    });
    socket.once('error', () => resolve(null));
    socket.once('close', () => resolve(parsed(text)));
  });
}

function parsed(text: string): Holder | null {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return null;
  }
}
