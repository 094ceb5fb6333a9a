import type { CleanupOptions, StoreStats } from '@casare/offline-store';
import { expect, it } from 'vitest';
import { StoreRoom } from './store-room.ts';

/** A store that is as full as `pressures` say, one look after the other. */
function roomOf(pressures: StoreStats['pressure'][]) {
  const cleanups: CleanupOptions[] = [];
  let rooms = 0;
  const room = new StoreRoom({
    store: {
      stats: async () => ({ pressure: pressures.shift() ?? 'none' }) as StoreStats,
      cleanup: async (options = {}) => {
        cleanups.push(options);
        return { jobs: 1, journalEntries: 0, deadLetters: 0, incidents: 0 };
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
  const { room, cleanups, rooms } = roomOf(['none']);
  await room.look();
  expect([cleanups, rooms()]).toEqual([[], 0]);
});

it('near the limit, old jobs go first, and no more than it takes', async () => {
  const { room, cleanups } = roomOf(['events', 'events', 'none']);
  await room.look();
  expect(cleanups.map(({ endedForMs }) => endedForMs)).toEqual([86_400_000, 3_600_000]);
});

it('what cannot be cured is told with the remedy, and what waited goes on once there is room', async () => {
  const { room, rooms } = roomOf(['steps', 'steps', 'steps', 'steps', 'events', 'none', 'none']);
  await expect(room.look()).rejects.toThrow('jobs wait, and only what ends one is saved: raise the limit');
  expect(rooms()).toBe(0);
  await room.look();
  await room.look();
  expect(rooms()).toBe(1);
});
