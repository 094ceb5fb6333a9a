import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '@casare/testing';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { BrowserJob, noBrowser } from './browser-job.ts';
import { browserGone, firstProcess, processesUsing } from './browser-processes.ts';

/** Whether processes can be looked at. */
const cannotLook = noBrowser ?? (process.platform === 'linux' ? undefined : 'no /proc');

describe.skipIf(cannotLook !== undefined)('a browser', { timeout: 30_000 }, () => {
  let job: BrowserJob;
  beforeEach(async () => {
    job = await BrowserJob.start();
  });
  afterEach(() => job.remove());

  it('ends with its job, with all its processes and its profile', async () => {
    await job.run('LaunchBrowserNode');
    expect((await processesUsing(job.profiles)).length).toBeGreaterThan(1);
    await job.end();
    await browserGone(job.profiles);
    expect(await readdir(job.profiles)).toEqual([]);
  });

  it('ends when its node fails to open the first page', async () => {
    await expect(job.run('LaunchBrowserNode', { url: 'http://127.0.0.1:9/' })).rejects.toMatchObject({
      code: 'NAVIGATION_FAILED',
    });
    await browserGone(job.profiles);
    expect(await readdir(job.profiles)).toEqual([]);
  });

  it('ends when it is cancelled while it starts, and the node does not wait for that', async () => {
    const controller = new AbortController();
    const launching = job.run('LaunchBrowserNode', {}, { signal: controller.signal });
    await eventually('the browser starts', async () => (await processesUsing(job.profiles)).length > 0, {
      intervalMs: 1,
    });
    controller.abort('cancelled');
    await expect(launching).rejects.toBe('cancelled');
    await job.end();
    await browserGone(job.profiles);
    expect(await readdir(job.profiles)).toEqual([]);
  });

  it('is killed when it does not end by itself', async () => {
    await job.run('LaunchBrowserNode');
    process.kill(await firstProcess(job.profiles), 'SIGSTOP');
    await job.end();
    await browserGone(job.profiles);
    expect(await readdir(job.profiles)).toEqual([]);
  });

  it('that dies by itself is reported, and its pages with it', async () => {
    await job.run('LaunchBrowserNode');
    process.kill(await firstProcess(job.profiles), 'SIGKILL');
    await eventually('the log tells', () =>
      job.logs.some(({ message }) => message === 'The browser closed unexpectedly.'),
    );
    await expect(job.run('ClickElementNode', { selector: '#a' })).rejects.toMatchObject({ code: 'PAGE_CLOSED' });
    await browserGone(job.profiles);
  });

  it('keeps a profile that the workflow names, and removes any other', async () => {
    await job.run('LaunchBrowserNode', { profile_mode: 'custom', user_data_dir: 'my-profile' });
    await job.end();
    expect((await readdir(join(job.workDir, 'my-profile'))).length).toBeGreaterThan(0);
    expect(await readdir(job.profiles)).toEqual([]);
    await expect(job.run('LaunchBrowserNode', { profile_mode: 'chrome_default' })).rejects.toMatchObject({
      code: 'PROFILE_UNSUPPORTED',
    });
  });

  it('runs headless with a warning when a window is asked for and there is no display', async () => {
    await job.run('LaunchBrowserNode', { headless: false });
    expect(job.logs).toContainEqual({
      level: 'warning',
      message: expect.stringMatching(/^There is no display: the browser runs headless/),
    });
  });

  it('does not outlive a robot that is killed', async () => {
    const robot = startRobot(job.profiles);
    await firstLine(robot);
    expect((await processesUsing(join(job.profiles, 'casare-browser'))).length).toBeGreaterThan(1);
    robot.kill('SIGKILL');
    await once(robot, 'exit');
    await browserGone(join(job.profiles, 'casare-browser'));
  });

  it('that hung when its robot was killed is ended by the next launch, which removes what is left', async () => {
    const robot = startRobot(job.profiles);
    await firstLine(robot);
    process.kill(await firstProcess(join(job.profiles, 'casare-browser')), 'SIGSTOP');
    robot.kill('SIGKILL');
    await once(robot, 'exit');
    const [left] = await readdir(job.profiles);
    const foreign = `casare-browser-other.${hostname()}-1-00000000`;
    await mkdir(join(job.profiles, foreign));
    await job.run('LaunchBrowserNode');
    await browserGone(join(job.profiles, String(left)));
    const folders = await readdir(job.profiles);
    expect(folders).toHaveLength(2);
    expect(folders).toContain(foreign);
    expect(folders).not.toContain(left);
  });
});

function startRobot(profiles: string): ChildProcess {
  const program = fileURLToPath(new URL('./launch-and-hang.ts', import.meta.url));
  const robot = spawn(process.execPath, [program, profiles], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void robot.kill('SIGKILL'));
  return robot;
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the child has no output');
  const died = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the child ended with ${code}`)));
  const [chunk] = await Promise.race([once(child.stdout, 'data'), died]);
  return String(chunk);
}
