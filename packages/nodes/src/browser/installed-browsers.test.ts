import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findBrowser } from './find-browser.ts';
import { isRunnable, usualPlaces } from './installed-browsers.ts';

describe('installed browsers', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'casare-installed-test-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it.each(['linux', 'darwin', 'win32'] as const)(
    'are looked for on %s, Chrome before Edge before Chromium',
    (platform) => {
      const channels = usualPlaces(platform, '/home/ada').map(({ channel }) => channel);
      expect([...new Set(channels)].slice(0, 3)).toEqual(['chrome', 'msedge', 'chromium']);
    },
  );

  it('count only when they can be started', async () => {
    const file = join(folder, 'browser');
    expect(isRunnable(file)).toBe(false);
    expect(isRunnable(folder)).toBe(false);
    await writeFile(file, '#!/bin/sh\nexec /opt/chromium "$@"\n', { mode: 0o600 });
    expect(isRunnable(file)).toBe(process.platform === 'win32');
    const working = join(folder, 'working');
    await writeFile(working, '#!/bin/sh\nexec /opt/chromium "$@"\n', { mode: 0o700 });
    expect(isRunnable(working)).toBe(true);
    const stub = join(folder, 'stub');
    await writeFile(stub, '#!/bin/sh\n[ -x /snap/bin/chromium ] || echo "install the snap"\n', { mode: 0o700 });
    expect(isRunnable(stub)).toBe(isRunnable('/snap/bin/chromium'));
  });

  it('give way to the one that is named, which must exist', async () => {
    const named = join(folder, 'named');
    await writeFile(named, '#!/bin/sh\n', { mode: 0o700 });
    expect(await findBrowser({ executablePath: named })).toMatchObject({ executablePath: named, origin: 'given' });
    await expect(findBrowser({ executablePath: join(folder, 'none') })).rejects.toMatchObject({
      code: 'BROWSER_NOT_FOUND',
    });
  });

  it('are asked for by channel, and nothing else is taken instead', async () => {
    expect(await findBrowser({ channel: 'no-such-channel' })).toBeNull();
  });
});
