/**
 * The Chromium of `@sparticuz/chromium` (Linux x64), unpacked once per version into a private folder.
 *
 * That package unpacks into the shared temporary folder and takes any file there for a finished one, so two
 * processes at once, or a process killed half-way, would leave a broken browser. Here a child process unpacks into
 * a staging folder of its own, the browser is tried, and one rename publishes it: whoever comes second throws his
 * own copy away. Stages: look -> unpack -> try -> publish.
 */
import { type ExecFileException, execFile } from 'node:child_process';
import { chmod, lstat, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createOwnedFolder, ownedPath, removeFolder, sweepAbandoned } from './owned-folder.ts';

export type BundledOutcome =
  | { readonly status: 'ready'; readonly executablePath: string }
  | { readonly status: 'unavailable'; readonly reason: string };

export interface BundledOptions {
  /** Default: `casare-chromium-<user>` in the temporary folder. Must belong to this user alone. */
  readonly cacheDir?: string | undefined;
}

const UNPACK_LIMIT_MS = 300_000;
const STAGING = 'staging';
const LAUNCHER = 'launch.sh';
const MANIFEST = 'manifest.json';
const inFlight = new Map<string, Promise<BundledOutcome>>();

/** Unpacks the bundled Chromium unless that was done before; never rejects. */
export function unpackBundledChromium(options: BundledOptions = {}): Promise<BundledOutcome> {
  const cacheDir = options.cacheDir ?? join(tmpdir(), `casare-chromium-${process.getuid?.() ?? 'user'}`);
  const running = inFlight.get(cacheDir);
  if (running !== undefined) return running;
  const outcome = unpack(cacheDir)
    .catch((error: unknown): BundledOutcome => unavailable(`it could not be unpacked: ${reasonOf(error)}`))
    .finally(() => inFlight.delete(cacheDir));
  inFlight.set(cacheDir, outcome);
  return outcome;
}

async function unpack(cacheDir: string): Promise<BundledOutcome> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return unavailable('there is none for this platform');
  const modulePath = locatePackage();
  if (modulePath === undefined) return unavailable('the package @sparticuz/chromium is not installed');
  await claimPrivateFolder(cacheDir);
  const published = join(cacheDir, await packageVersion(modulePath));
  if (await isComplete(published)) return ready(published);
  await sweepAbandoned(cacheDir, STAGING);
  const staging = await createOwnedFolder(cacheDir, STAGING);
  try {
    await runUnpacker(modulePath, staging);
    const complaint = await prepareLauncher(staging);
    if (complaint !== undefined) return unavailable(`it does not run on this machine: ${complaint}`);
    await writeManifest(staging);
    return await publish(staging, published);
  } finally {
    await removeFolder(staging);
  }
}

async function publish(staging: string, published: string): Promise<BundledOutcome> {
  if (!(await isComplete(published))) await setAside(published);
  try {
    await rename(staging, published);
  } catch (error) {
    const lostTheRace = ['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '');
    if (!lostTheRace || !(await isComplete(published))) throw error;
  }
  return ready(published);
}

/** A published folder that has lost files (temporary folders get cleaned) makes room in one step. */
async function setAside(published: string): Promise<void> {
  const aside = ownedPath(dirname(published), STAGING);
  const moved = await rename(published, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  const wasRepairedMeanwhile = await isComplete(aside);
  if (wasRepairedMeanwhile) await rename(aside, published).catch(() => removeFolder(aside));
  else await removeFolder(aside);
}

const ready = (published: string): BundledOutcome => ({ status: 'ready', executablePath: join(published, LAUNCHER) });
const unavailable = (reason: string): BundledOutcome => ({
  status: 'unavailable',
  reason: `the bundled Chromium is not usable: ${reason}`,
});

function locatePackage(): string | undefined {
  try {
    return fileURLToPath(import.meta.resolve('@sparticuz/chromium'));
  } catch {
    return undefined;
  }
}

async function packageVersion(modulePath: string): Promise<string> {
  const manifest = await readFile(join(dirname(modulePath), '..', 'package.json'), 'utf8');
  return String((JSON.parse(manifest) as { version: unknown }).version);
}

/** The folder holds programs that will be run: nobody else may be able to put files there. */
async function claimPrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new Error(`${folder} is not a folder of this user`);
  }
  if ((found.mode & 0o022) !== 0) await chmod(folder, 0o700);
}

const UNPACKER = `
const { default: chromium, inflate } = await import(process.argv[1]);
await chromium.executablePath();
await inflate(process.argv[2]);
`;

/** The package finds its target through TMPDIR alone, so it runs in a process whose TMPDIR is the staging folder. */
async function runUnpacker(modulePath: string, staging: string): Promise<void> {
  const libraries = join(dirname(modulePath), '..', 'bin', 'al2023.tar.br');
  const failure = await run(
    process.execPath,
    ['--input-type=module', '--eval', UNPACKER, pathToFileURL(modulePath).href, libraries],
    { TMPDIR: staging, HOME: staging },
  );
  if (failure !== undefined) throw new Error(failure);
}

/**
 * Writes the script that starts the browser with fonts of its own, and, if this machine lacks them, with the
 * libraries that come with the package. Returns why the browser does not run, or undefined when it does.
 */
async function prepareLauncher(staging: string): Promise<string | undefined> {
  const launcher = join(staging, LAUNCHER);
  await writeFile(join(staging, 'fonts.conf'), FONTS_CONF);
  await writeFile(launcher, launcherScript({ ownLibraries: false }), { mode: 0o700 });
  const complaint = await run(launcher, ['--version'], {});
  if (complaint === undefined || !complaint.includes('loading shared libraries')) return complaint;
  await writeFile(launcher, launcherScript({ ownLibraries: true }), { mode: 0o700 });
  return run(launcher, ['--version'], {});
}

const FONTS_CONF = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

/** The script finds its own folder, so that it stays right when the folder is renamed. */
export function launcherScript(options: { readonly ownLibraries: boolean }): string {
  const libraries = options.ownLibraries
    ? `export LD_LIBRARY_PATH="$here/al2023/lib\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"\n`
    : '';
  return `#!/bin/sh
here=\${0%/*}
export FONTCONFIG_FILE="\${FONTCONFIG_FILE:-$here/fonts.conf}"
${libraries}exec "$here/chromium" "$@"
`;
}

async function writeManifest(staging: string): Promise<void> {
  const sizes: Record<string, number> = {};
  for (const name of await readdir(staging, { recursive: true })) {
    const found = await stat(join(staging, name));
    if (found.isFile()) sizes[name] = found.size;
  }
  await writeFile(join(staging, MANIFEST), JSON.stringify(sizes));
}

async function isComplete(folder: string): Promise<boolean> {
  try {
    const sizes = JSON.parse(await readFile(join(folder, MANIFEST), 'utf8')) as Record<string, number>;
    const checks = Object.entries(sizes).map(async ([name, size]) => (await stat(join(folder, name))).size === size);
    return (await Promise.all(checks)).every(Boolean);
  } catch {
    return false;
  }
}

/** Runs a program to its end; undefined when it went well, else what it complained about. */
function run(file: string, args: readonly string[], env: Record<string, string>): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { env, timeout: UNPACK_LIMIT_MS, maxBuffer: 1024 * 1024 };
    execFile(file, args, options, (error: ExecFileException | null, _stdout, stderr) => {
      resolve(error === null ? undefined : (stderr.trim().split('\n').at(-1) ?? '').slice(0, 300) || error.message);
    });
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
