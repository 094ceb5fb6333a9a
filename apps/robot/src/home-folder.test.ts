import { chmodSync, mkdirSync, mkdtempSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { prepareHome, writeJsonDurably } from './home-folder.ts';

const modesOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder).map((name) => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)]),
  );

describe.skipIf(process.platform === 'win32')('the home', () => {
  it("is closed to others, with what a careless copy has left open in it; a person's own files stay as they are", async () => {
    const outside = join(mkdtempSync(join(tmpdir(), 'outside-')), 'log');
    writeFileSync(outside, '');
    chmodSync(outside, 0o644);
    const home = mkdtempSync(join(tmpdir(), 'home-'));
    for (const folder of ['keys', 'audit', 'bundles']) mkdirSync(join(home, folder));
    for (const file of ['robot.json', 'claim-request.json', 'config.json', 'secrets.json']) {
      writeFileSync(join(home, file), '{}');
    }
    for (const name of readdirSync(home)) chmodSync(join(home, name), 0o777);
    symlinkSync(outside, join(home, 'link'));
    chmodSync(home, 0o777);

    await prepareHome(home);

    expect((statSync(home).mode & 0o777).toString(8)).toBe('700');
    expect(modesOf(home)).toEqual({
      ...{ keys: '700', audit: '700', bundles: '700', 'robot.json': '600', 'claim-request.json': '600' },
      ...{ 'config.json': '777', 'secrets.json': '777', link: '644' },
    });
  });

  it('and its files are for the owner only, whatever the umask', async () => {
    const former = process.umask(0);
    try {
      const home = join(mkdtempSync(join(tmpdir(), 'home-')), 'above', 'home');
      await prepareHome(home);
      await writeJsonDurably(join(home, 'robot.json'), {});
      expect((statSync(home).mode & 0o777).toString(8)).toBe('700');
      expect(modesOf(home)).toEqual({ 'robot.json': '600' });
    } finally {
      process.umask(former);
    }
  });
});
