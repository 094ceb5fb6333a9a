import { describe, expect, it } from 'vitest';
import { type ProcessEntry, parseStat } from './process-table.ts';
import { type TreeTraces, treeMembers } from './process-tree.ts';

/** `pid: [parent, group, session, start]` */
type Row = readonly [parent: number, group: number, session: number, start: number];

function members(
  rows: Readonly<Record<number, Row>>,
  traces: Partial<TreeTraces>,
  marks: Readonly<Record<number, string>> = {},
): readonly number[] {
  const table = new Map<number, ProcessEntry>(
    Object.entries(rows).map(([pid, [parent, group, session, startTicks]]) => [
      Number(pid),
      { pid: Number(pid), parent, group, session, startTicks, rssBytes: 0 },
    ]),
  );
  const all = { known: [], ownsMark: (mark: string) => mark === 'own', notBeforeTicks: 100, ...traces };
  return treeMembers(table, all, (pid) => marks[pid] ?? null)
    .map(({ pid }) => pid)
    .toSorted((a, b) => a - b);
}

const known = [{ pid: 10, startTicks: 100 }];

describe('the tree of a job process', () => {
  it('holds descendants, also those whose parents have left the group', () => {
    const rows = { 1: [0, 1, 1, 0], 10: [1, 10, 10, 100], 11: [10, 11, 11, 110], 12: [11, 12, 12, 120] } as const;
    expect(members(rows, { known })).toEqual([10, 11, 12]);
  });

  it('holds members of a group or session, also when their parents are gone', () => {
    const rows = { 1: [0, 1, 1, 0], 10: [1, 10, 10, 100], 20: [1, 10, 10, 110], 21: [1, 21, 10, 110] } as const;
    expect(members(rows, { known })).toEqual([10, 20, 21]);
  });

  it('holds what a leader has left, as long as its id is not given to another', () => {
    const orphan = { 20: [1, 10, 10, 110] } as const;
    expect(members(orphan, { known })).toEqual([20]);
    const reused = { 10: [1, 10, 10, 900], 20: [10, 10, 10, 910] } as const;
    expect(members(reused, { known })).toEqual([]);
  });

  it('holds what carries its mark, and what that has started', () => {
    const rows = { 1: [0, 1, 1, 0], 30: [1, 30, 30, 130], 31: [30, 30, 30, 131], 40: [1, 40, 40, 140] } as const;
    expect(members(rows, {}, { 30: 'own', 40: 'other' })).toEqual([30, 31]);
  });

  it('holds nothing that is older than itself', () => {
    const rows = { 5: [10, 10, 10, 50], 10: [1, 10, 10, 100] } as const;
    expect(members(rows, { known }, { 5: 'own' })).toEqual([10]);
  });
});

describe('a line of the process table', () => {
  const rest = '1 7 8 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 25 0';

  it('is read behind the name, whatever that is', () => {
    expect(parseStat(9, `9 (a) S 1) S ${rest}`)).toEqual({
      pid: 9,
      parent: 1,
      group: 7,
      session: 8,
      startTicks: 4_711,
      rssBytes: 25 * 4_096,
    });
  });

  it('of a dead process that nobody has noticed counts as none', () => {
    expect(parseStat(9, `9 (sh) Z ${rest}`)).toBeNull();
  });
});
