import type { CleanupOptions, StoreStats } from '@casare/offline-store';
import { expect, it } from 'vitest';
import { StoreRoom } from './store-room.ts';

/** A store of 800 bytes for steps and 200 for ends, that is as full as `uses` say, one look after the other. */
function roomOf(uses: number[], droppable = Number.POSITIVE_INFINITY) {
  const cleanups: CleanupOptions[] = [];
  let left = droppable;
  let rooms = 0;
  const room = new StoreRoom({
    store: {
      stats: async () => {
        const used = uses.shift() ?? 0;
        const pressure = used >= 800 ? 'steps' : used >= 720 ? 'events' : 'none';
        return { bytes: used + 50, freeBytes: 50, maxBytes: 1_000, reserveBytes: 200, pressure } as StoreStats;
      },
      cleanup: async (options = {}) => {
        cleanups.push(options);
        left -= 1;
        return { jobs: left >= 0 ? 1 : 0, journalEntries: 0, deadLetters: 0, incidents: 0 };
      },
    },
    limitMb: 8,
    onRoom: () => {
      rooms += 1;
    },
  });
  return { room, cleanups, rooms: () => rooms };
}

it('a store with room is left alone', async () => {
  const { room, cleanups, rooms } = roomOf([600]);
  await room.look();
  expect([cleanups, rooms()]).toEqual([[], 0]);
});

it('before anything is refused, old jobs go, and no more of them than it takes', async () => {
  const { room, cleanups } = roomOf([650, 610, 300]);
  await room.look();
  expect(cleanups.map(({ endedForMs }) => endedForMs)).toEqual([86_400_000, 3_600_000]);
});

it('where nothing can be dropped, it is not tried at every look, unless something is refused', async () => {
  const { room, cleanups } = roomOf([650, 650, 650, 650, 650, 750, 650, 650, 650], 0);
  await room.look();
  await room.look();
  expect(cleanups).toHaveLength(3);
  await room.look();
  expect(cleanups).toHaveLength(6);
});

it('what cannot be cured is told with the remedy, and what waited goes on once there is room', async () => {
  const { room, rooms } = roomOf([800, 800, 800, 800, 750, 750, 500, 500]);
  await expect(room.look()).rejects.toThrow('jobs wait, and only what ends one is saved: raise the limit');
  expect(rooms()).toBe(0);
  await room.look();
  await room.look();
  expect(rooms()).toBe(1);
});
