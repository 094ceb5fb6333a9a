/**
 * Which robot a store belongs to (I1). A lease token is right for whoever holds it, so two robots that go on with what lies
 * in one store, or in copies of it, would do the same steps, and no fence sees the second one. The file remembers the robot that
 * opened it; one of another version remembers nothing, and its jobs tell.
 */
import type Database from 'better-sqlite3';
import { rowChecksum } from './database/checksum.ts';
import { isFull } from './database/storage-errors.ts';
import { StoreOtherRobotError } from './errors.ts';
import { storedCursor } from './outbox/outbox-cursor.ts';
import type { Logger } from './ports.ts';

const robotName = 'robot_id';

export interface StoreTaker {
  readonly path: string;
  readonly robotId: string;
  /** Whether it may take what another robot has left open. */
  readonly adopt: boolean;
  readonly logger: Logger | undefined;
}

/** What the jobs of other robots still wait for. */
interface OpenWork {
  readonly unfinished: number;
  readonly undelivered: number;
}

/**
 * Makes the store that robot's, if it is already, if nothing in it is open, or if the robot may adopt it.
 *
 * @throws StoreOtherRobotError `STORE_OTHER_ROBOT`
 */
export function takeForRobot(db: Database.Database, { path, robotId, adopt, logger }: StoreTaker): void {
  const noted = notedRobot(db);
  if (noted === robotId) return;
  const owner = noted ?? robotOfJobs(db, robotId);
  if (owner !== null && owner !== robotId) {
    const work = openWorkOfOthers(db, robotId);
    const isOpen = work.unfinished + work.undelivered > 0;
    if (isOpen && !adopt) throw new StoreOtherRobotError(path, { ownerId: owner, robotId, ...work });
    const fields = { path, former_robot_id: owner, robot_id: robotId, ...work };
    logger?.log(isOpen ? 'warning' : 'info', 'the store of another robot was taken over', fields);
  }
  note(db, robotId, logger);
}

function notedRobot(db: Database.Database): string | null {
  const row = db
    .prepare<[string], { value: string; crc: number }>('SELECT value, crc FROM meta WHERE name = ?')
    .get(robotName);
  return row !== undefined && rowChecksum([robotName, row.value]) === row.crc ? row.value : null;
}

/** The robot itself if one of the jobs is its own, else that of the newest job; null without one. */
function robotOfJobs(db: Database.Database, robotId: string): string | null {
  const query = 'SELECT robot_id FROM jobs ORDER BY robot_id = ? DESC, run_id DESC LIMIT 1';
  return db.prepare<[string], { robot_id: string }>(query).get(robotId)?.robot_id ?? null;
}

/** A job without a readable state counts as unfinished. */
function openWorkOfOthers(db: Database.Database, robotId: string): OpenWork {
  const query = `
    SELECT count(*) FILTER (WHERE NOT is_over) AS unfinished,
      count(*) FILTER (WHERE is_over AND is_untold) AS undelivered
    FROM (
      SELECT coalesce(s.status IN ('completed', 'failed', 'cancelled', 'released'), 0) AS is_over,
        (s.status <> 'released' AND s.synced_at_ms IS NULL)
          OR EXISTS (SELECT 1 FROM outbox o WHERE o.run_id = j.run_id)
          OR j.run_id IN (SELECT run_id FROM journal WHERE drafts IS NOT NULL AND id > ${storedCursor}) AS is_untold
      FROM jobs j LEFT JOIN job_states s ON s.run_id = j.run_id WHERE j.robot_id <> ?
    )`;
  return db.prepare<[string], OpenWork>(query).get(robotId) ?? { unfinished: 0, undelivered: 0 };
}

/** A full disk keeps no robot from its store: it is noted the next time. */
function note(db: Database.Database, robotId: string, logger: Logger | undefined): void {
  try {
    db.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?, ?)').run(
      robotName,
      robotId,
      rowChecksum([robotName, robotId]),
    );
  } catch (error) {
    if (!isFull(error)) throw error;
    logger?.log('warning', 'there was no room to note whose store this is', { robot_id: robotId });
  }
}
