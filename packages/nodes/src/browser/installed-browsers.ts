/** Where the browsers that a user installs are to be found: a table, and a look at the file system. */
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { posix, win32 } from 'node:path';

/** Chromium family releases by the names that Playwright's `channel` uses. */
export type BrowserChannel =
  | 'chrome'
  | 'msedge'
  | 'chromium'
  | 'chrome-beta'
  | 'chrome-dev'
  | 'msedge-beta'
  | 'msedge-dev';

export interface BrowserPlace {
  readonly channel: BrowserChannel;
  /** For people. */
  readonly name: string;
  readonly path: string;
}

/** Every usual place on a platform, in order of preference. Pure. */
export function usualPlaces(platform: NodeJS.Platform, homeDir: string): readonly BrowserPlace[] {
  if (platform === 'darwin') return macPlaces(homeDir);
  if (platform === 'win32') return windowsPlaces(homeDir);
  return LINUX_PLACES;
}

/** True when the file can be started: not a folder, executable, not a stub that asks for a missing snap. */
export function isRunnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    const { size } = statSync(path);
    if (!statSync(path).isFile()) return false;
    const isScript = size < 64 * 1024;
    return !isScript || !isStubOfMissingSnap(readFileSync(path, 'latin1'));
  } catch {
    return false;
  }
}

/** Some distributions ship `chromium-browser` as a script that only tells how to install the snap. */
function isStubOfMissingSnap(script: string): boolean {
  return script.includes(SNAP_CHROMIUM) && !existsSync(SNAP_CHROMIUM);
}

const SNAP_CHROMIUM = '/snap/bin/chromium';

const NAMES: Readonly<Record<BrowserChannel, string>> = {
  chrome: 'Google Chrome',
  msedge: 'Microsoft Edge',
  chromium: 'Chromium',
  'chrome-beta': 'Google Chrome Beta',
  'chrome-dev': 'Google Chrome Dev',
  'msedge-beta': 'Microsoft Edge Beta',
  'msedge-dev': 'Microsoft Edge Dev',
};

const place = (channel: BrowserChannel, path: string): BrowserPlace => ({ channel, name: NAMES[channel], path });

const LINUX_PLACES: readonly BrowserPlace[] = [
  place('chrome', '/usr/bin/google-chrome-stable'),
  place('chrome', '/usr/bin/google-chrome'),
  place('chrome', '/opt/google/chrome/chrome'),
  place('msedge', '/usr/bin/microsoft-edge-stable'),
  place('msedge', '/usr/bin/microsoft-edge'),
  place('msedge', '/opt/microsoft/msedge/msedge'),
  place('chromium', '/usr/bin/chromium'),
  place('chromium', '/usr/bin/chromium-browser'),
  place('chromium', SNAP_CHROMIUM),
  place('chrome-beta', '/opt/google/chrome-beta/chrome'),
  place('chrome-dev', '/opt/google/chrome-unstable/chrome'),
  place('msedge-beta', '/opt/microsoft/msedge-beta/msedge'),
  place('msedge-dev', '/opt/microsoft/msedge-dev/msedge'),
];

function macPlaces(homeDir: string): readonly BrowserPlace[] {
  const apps = ['chrome', 'msedge', 'chromium', 'chrome-beta', 'chrome-dev', 'msedge-beta', 'msedge-dev'] as const;
  return apps.flatMap((channel) =>
    ['/Applications', posix.join(homeDir, 'Applications')].map((folder) =>
      place(channel, posix.join(folder, `${NAMES[channel]}.app`, 'Contents', 'MacOS', NAMES[channel])),
    ),
  );
}

function windowsPlaces(homeDir: string): readonly BrowserPlace[] {
  const roots = ['C:\\Program Files', 'C:\\Program Files (x86)', win32.join(homeDir, 'AppData', 'Local')];
  const programs: readonly (readonly [BrowserChannel, string])[] = [
    ['chrome', 'Google\\Chrome\\Application\\chrome.exe'],
    ['msedge', 'Microsoft\\Edge\\Application\\msedge.exe'],
    ['chromium', 'Chromium\\Application\\chrome.exe'],
    ['chrome-beta', 'Google\\Chrome Beta\\Application\\chrome.exe'],
    ['chrome-dev', 'Google\\Chrome Dev\\Application\\chrome.exe'],
    ['msedge-beta', 'Microsoft\\Edge Beta\\Application\\msedge.exe'],
    ['msedge-dev', 'Microsoft\\Edge Dev\\Application\\msedge.exe'],
  ];
  return programs.flatMap(([channel, path]) => roots.map((root) => place(channel, win32.join(root, path))));
}
