import { existsSync, linkSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { eventually, ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { OfflineQueue, openStore, StoreOwnedError } from '../src/index.ts';
import { startFixture } from './support/child-process.ts';
import { openTestStore } from './support/open-stores.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

async function refusalOf(opening: Promise<unknown>): Promise<StoreOwnedError> {
  const error = await opening.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StoreOwnedError);
  return error as StoreOwnedError;
}

describe('a store has one owner', () => {
  it('another process is refused with a message that says who holds it, until that one dies', async () => {
    const path = join(temporaryFolder(), 'store.db');
    const holder = startFixture('holds-store.ts', [path]);
    await eventually('the child holds the store', () => holder.lines.includes('open'));

    const refusal = await refusalOf(openStore({ path, robotId: 'robot-123' }));
    expect(refusal.code).toBe('STORE_OWNED');
    expect(refusal.holder).toMatchObject({ pid: holder.child.pid, host: hostname(), robotId: 'robot-child' });
    expect(refusal.message).toContain(`process ${holder.child.pid} on host ${hostname()} (robot robot-child) since 20`);
    if (process.platform === 'linux') {
      rmSync(join(path, '..', 'owner.db'));
      expect((await refusalOf(openStore({ path, robotId: 'robot-123' }))).holder?.pid).toBe(holder.child.pid);
    }

    holder.child.kill('SIGKILL');
    await holder.ended;
    const store = await openStore({ path, robotId: 'robot-123' });
    expect(store.isOpen).toBe(true);
    await store.close();
  });

  it('a second opener in the same process is refused, too, and does not loosen the lock', async () => {
    const clock = new ManualClock();
    const store = await openTestStore({ clock });
    const refusal = await refusalOf(openStore({ path: store.path, robotId: 'robot-123' }));
    expect(refusal.holder).toEqual({
      pid: process.pid,
      host: hostname(),
      since: '2026-01-01T00:00:00.000Z',
      robotId: 'robot-123',
    });
    expect(() => new OfflineQueue({ dbPath: store.path, robotId: 'robot-123' })).toThrow(StoreOwnedError);

    const other = startFixture('holds-store.ts', [store.path]);
    await eventually('the child has tried', () => other.lines.length > 0);
    expect(other.lines).toEqual(['refused STORE_OWNED']);
  });

  it('a file with a second name (a hard link) is opened under neither', async () => {
    const store = await openTestStore();
    const other = join(store.path, '..', 'other.db');
    linkSync(store.path, other);
    const refusal = { code: 'STORE_ACCESS', message: expect.stringContaining('has 2 names (hard links)') };
    await expect(openStore({ path: other, robotId: 'robot-123' })).rejects.toMatchObject(refusal);
    rmSync(other);
    await store.close();
    await (await openStore({ path: store.path, robotId: 'robot-123' })).close();
  });

  it('closing gives the store free and takes the note away', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'store.db');
    const first = await openStore({ path, robotId: 'robot-123' });
    const note = join(folder, 'owner.json');
    expect(JSON.parse(readFileSync(note, 'utf8'))).toMatchObject({ pid: process.pid });
    await first.close();
    expect(existsSync(note)).toBe(false);
    await (await openStore({ path, robotId: 'robot-123' })).close();
  });

  it('stores with other names have owner files of their own', async () => {
    const folder = temporaryFolder();
    await openTestStore({ path: join(folder, 'store.db') });
    await openTestStore({ path: join(folder, 'offline.db') });
    expect(existsSync(join(folder, 'owner.db'))).toBe(true);
    expect(existsSync(join(folder, 'offline.owner.db'))).toBe(true);
  });
});
