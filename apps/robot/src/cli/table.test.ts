import { Command } from 'commander';
import { expect, it } from 'vitest';
import { duration } from './option-values.ts';
import { showDuration, showRemaining } from './show-duration.ts';
import { factLines, tableLines } from './table.ts';

it('puts columns under their titles, as wide as their widest text', () => {
  expect(
    tableLines(
      [{ title: 'JOB' }, { title: 'DONE', align: 'right' }, { title: 'AT' }],
      [
        ['a-long-id', '5%', ''],
        ['b', '100%', 'end'],
      ],
    ),
  ).toEqual(['JOB        DONE  AT', 'a-long-id    5%', 'b          100%  end']);
});

it('leaves out facts without a text', () => {
  expect(
    factLines([
      ['state', 'running'],
      ['paused', null],
      ['up', ''],
      ['robot', 'one'],
    ]),
  ).toEqual(['state  running', 'robot  one']);
});

it('lets no text forge a row or drive the terminal', () => {
  const name = 'pay\n1  failed\u001b[2J\u009b31m\u2028';
  const shown = 'pay\\n1  failed\\u001b[2J\\u009b31m\\u2028';
  expect(tableLines([{ title: 'NAME' }], [[name]])[1]).toBe(shown);
  expect(factLines([['name', name]])).toEqual([`name  ${shown}`]);
});

it.each([
  [250, '250 ms'],
  [59_999, '1 m 0 s'],
  [200_000, '3 m 20 s'],
  [3_660_000, '1 h 1 m'],
  [90_000_000, '1 d 1 h'],
])('shows %i ms as %s', (ms, text) => {
  expect(showDuration(ms)).toBe(text);
});

it.each([
  [7_199_950, '2 h'],
  [7_140_001, '2 h'],
  [7_140_000, '1 h 59 m'],
  [89_900, '1 m 30 s'],
  [59_001, '1 m'],
  [172_799_999, '2 d'],
  [0, '0 ms'],
])('shows %i ms that are still to come as %s', (ms, text) => {
  expect(showRemaining(ms)).toBe(text);
});

it('reads durations with their units, and refuses anything else', () => {
  expect(['90s', '10m', '1h30m', '250ms', '2d'].map(duration)).toEqual([90_000, 600_000, 5_400_000, 250, 172_800_000]);
  for (const text of ['', '5', '5 m', '-5s', 's', '1.5h', '0s', 'm5']) {
    expect(() => new Command().exitOverride() && duration(text), text).toThrow('It must be a duration');
  }
});
