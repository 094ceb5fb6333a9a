import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RobotConfig, validateConfig } from '@casare/config';
import { Redactor } from '@casare/observability';
import { eventually } from '@casare/testing';
import { expect, it, onTestFinished, vi } from 'vitest';
import { composeLogs } from './compose-logs.ts';

it('goes on without its folder, says so, and uses the folder again as soon as it can', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'casare-logs-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const logDir = join(folder, 'logs');
  writeFileSync(logDir, 'a file where the folder should be');
  const shown: string[] = [];
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => shown.push(String(text)) > 0);
  onTestFinished(() => stderr.mockRestore());
  const settings = validateConfig(new RobotConfig({ robot: { home: folder }, observability: { logDir } }));
  const logs = composeLogs(settings, new Redactor(), undefined);
  const told: (string | null)[] = [];

  logs.logger.log('info', 'before the home is ours');
  logs.homeIsOurs();
  await eventually('it is told', () => logs.problem !== null);
  logs.watch((problem) => told.push(problem));
  logs.logger.log('info', 'goes on');
  expect(shown.filter((line) => line.includes('cannot be written'))).toEqual([
    expect.stringMatching(/ERROR +the log cannot be written to .*logs, only to the standard error.*(EEXIST|ENOTDIR)/),
  ]);
  rmSync(logDir);
  logs.logger.log('info', 'again');
  await eventually('it is told', () => logs.problem === null);

  expect(told).toEqual([expect.stringMatching(/EEXIST|ENOTDIR/), null]);
  const lines = readFileSync(join(logDir, 'robot.log'), 'utf8').trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).message)).toEqual(['again', expect.stringContaining('is written')]);
});
