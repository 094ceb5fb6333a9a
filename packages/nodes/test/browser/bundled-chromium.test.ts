import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unpackBundledChromium } from '../../src/browser/bundled-chromium.ts';

const run = promisify(execFile);
const modulePath = fileURLToPath(new URL('../../src/browser/bundled-chromium.ts', import.meta.url));
const hasBundle = process.platform === 'linux' && process.arch === 'x64';

describe.skipIf(!hasBundle)('the bundled Chromium', { timeout: 180_000 }, () => {
  let cacheDir: string;
  beforeEach(async () => {
    cacheDir = await mkdtemp(join(tmpdir(), 'casare-bundle-test-'));
  });
  afterEach(() => rm(cacheDir, { recursive: true, force: true }));

  it('comes out whole when two processes unpack it at once, and again when files have gone missing, and leaves nothing half-done', async () => {
    const script = `import { unpackBundledChromium } from ${JSON.stringify(modulePath)};
      process.stdout.write(JSON.stringify(await unpackBundledChromium({ cacheDir: process.argv[1] })));`;
    const args = ['--input-type=module', '--eval', script, cacheDir];
    const answers = await Promise.all([run(process.execPath, args), run(process.execPath, args)]);
    const outcomes = answers.map(({ stdout }) => JSON.parse(stdout) as { status: string; executablePath: string });
    expect(outcomes[0]).toEqual(outcomes[1]);
    expect(outcomes[0]?.status).toBe('ready');
    expect(await readdir(cacheDir)).toHaveLength(1);
    const { stdout } = await run(String(outcomes[0]?.executablePath), ['--version']);
    expect(stdout).toMatch(/Chromium \d+/);

    // It is unpacked again when files have gone missing, and sweeps up after killed processes.
    const [first] = outcomes;
    if (first === undefined) throw new Error('nothing was unpacked');
    await rm(join(dirname(first.executablePath), 'libGLESv2.so'));
    const abandoned = join(cacheDir, `staging-${hostname().replace(/[^A-Za-z0-9.]/g, '_')}-999999999-00000000`);
    await mkdir(abandoned);
    await writeFile(join(abandoned, 'chromium'), 'half');
    expect(await unpackBundledChromium({ cacheDir })).toEqual(first);
    expect(await readdir(dirname(first.executablePath))).toContain('libGLESv2.so');
    expect(await readdir(cacheDir)).toHaveLength(1);
  });

  it('says why it cannot be used', async () => {
    const notAFolder = join(cacheDir, 'file');
    await writeFile(notAFolder, '');
    expect(await unpackBundledChromium({ cacheDir: notAFolder })).toMatchObject({
      status: 'unavailable',
      reason: expect.stringContaining('could not be unpacked'),
    });
  });
});
