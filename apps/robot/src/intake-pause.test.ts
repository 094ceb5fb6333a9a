import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redactor } from '@casare/observability';
import { eventually, ManualClock } from '@casare/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { IntakePause, type PauseChange } from './intake-pause.ts';

function home(): string {
  const folder = mkdtempSync(join(tmpdir(), 'casare-pause-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function open(folder: string, clock = new ManualClock(), redactor = new Redactor()) {
  const lines: string[] = [];
  let changes = 0;
  const told: PauseChange[] = [];
  const pause = await IntakePause.load({
    home: folder,
    clock,
    logger: { log: (_level, message) => void lines.push(message) },
    redactor,
    onChange: (change) => {
      told.push(change);
      changes += 1;
    },
  });
  return { pause, clock, lines, told, changes: () => changes };
}

describe('a paused robot', () => {
  it('stays paused over a restart, with its note, and says so in the log', async () => {
    const folder = home();
    const first = await open(folder);
    await first.pause.pause({ note: 'month end' });
    first.pause.close();
    const second = await open(folder);
    expect(second.pause.current).toMatchObject({ note: 'month end', until: null });
    expect(second.lines).toEqual([expect.stringMatching(/still paused since .* no new jobs.*\(month end\)/)]);
    expect(await second.pause.resume()).toBe(true);
    expect(await second.pause.resume()).toBe(false);
    expect((await open(folder)).pause.current).toBeNull();
  });

  it('keeps no secret of its note, nor of who asks; one that becomes known later is not shown any more', async () => {
    const folder = home();
    const redactor = new Redactor({ values: ['hush/314159'] });
    const { pause, lines, told } = await open(folder, new ManualClock(), redactor);
    await pause.pause({ note: `${'x'.repeat(470)} hush%2f314159 or later`, requestedBy: 'ann hush/314159' });
    expect(readFileSync(join(folder, 'pause.json'), 'utf8')).toContain('[redacted] or later');
    await pause.resume({ note: 'hush/314159 again' });
    await pause.pause({ note: 'later' });
    redactor.addValue('later');
    expect(pause.current).toMatchObject({ note: '[redacted]' });
    expect(JSON.stringify([told, lines])).not.toMatch(/hush/);
    pause.close();
  });

  it('resumes by itself when its time is over', async () => {
    const { pause, clock, lines } = await open(home());
    await pause.pause({ timeoutMs: 60_000 });
    await clock.advance(20_000);
    expect(pause.remainingMs).toBe(40_000);
    await clock.advance(40_000);
    await eventually('it resumes', () => pause.current === null);
    expect(lines).toContain('the pause is over');
    expect(lines.at(-1)).toBe('resumed: new jobs are taken again');
    await pause.pause({ timeoutMs: 60_000 });
    pause.stopping();
    await clock.advance(60_000);
    await eventually('it resumes', () => pause.current === null);
    expect(lines.at(-1)).toBe('resumed: new jobs are taken again from the next start on: the robot stops');
    expect(clock.sleeping).toBe(0);
  });

  it('goes on waiting for what is left of its time after a restart, or not at all', async () => {
    const folder = home();
    const clock = new ManualClock();
    const first = await open(folder, clock);
    await first.pause.pause({ timeoutMs: 60_000 });
    first.pause.close();
    await clock.advance(45_000);
    const second = await open(folder, clock);
    expect(second.pause.remainingMs).toBe(15_000);
    second.pause.close();
    await clock.advance(15_000);
    const third = await open(folder, clock);
    expect(third.pause.current).toBeNull();
    expect(existsSync(join(folder, 'pause.json'))).toBe(false);
  });

  it('can be paused again with another note and end; the moment it began stays', async () => {
    const { pause, clock } = await open(home());
    await pause.pause({ note: 'first', timeoutMs: 10_000 });
    const since = pause.current?.since;
    await clock.advance(5_000);
    await pause.pause({ note: 'second' });
    await clock.advance(60_000);
    expect(pause.current).toEqual({ note: 'second', since, until: null });
    expect(clock.sleeping).toBe(0);
  });

  it('stays paused when its file cannot be understood, because nobody asked it to resume', async () => {
    const folder = home();
    writeFileSync(join(folder, 'pause.json'), '{"since": "yesterday"}');
    const { pause, lines } = await open(folder);
    expect(pause.current).not.toBeNull();
    expect(lines[0]).toContain('pause.json');
  });

  it.each([{ timeoutMs: 0 }, { timeoutMs: 1.5 }, { note: 'x'.repeat(501) }, { note: 5 as never }])(
    'refuses %j and changes nothing',
    async (options) => {
      const folder = home();
      const { pause, changes } = await open(folder);
      await expect(pause.pause(options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect([pause.current, changes()]).toEqual([null, 0]);
      expect(() => readFileSync(join(folder, 'pause.json'))).toThrow();
    },
  );
});
