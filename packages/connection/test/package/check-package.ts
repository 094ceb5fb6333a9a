/**
 * Packs the package as it would be published, checks the tarball, and installs it alone in an empty project, where
 * types must resolve and programs run. Needs no network: what the package depends on is packed from where it is
 * installed already. `node test/package/check-package.ts` prints what was found.
 */
import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { publishedManifest } from '../../../../scripts/published-manifest.ts';

export interface PackageReport {
  /** Of `publint` and `attw`; empty when they have nothing to say. */
  readonly problems: readonly string[];
  /** Everything that lies in `node_modules` after the package was installed alone. */
  readonly installed: readonly string[];
  /** What each program printed. */
  readonly printed: { readonly breakerAlone: string; readonly managerWithoutPeer: string; readonly manager: string };
}

const folder = join(import.meta.dirname, '..', '..');
const workspace = join(folder, '..', '..');
const consumers = join(import.meta.dirname, 'consumer');
const PEER = '@supabase/supabase-js';

type Manifest = Record<string, unknown> & { readonly dependencies?: Record<string, string> };

export async function checkPackage(): Promise<PackageReport> {
  const scratch = mkdtempSync(join(tmpdir(), 'casare-connection-'));
  try {
    const tarball = await packPackage(join(scratch, 'package'));
    const problems = await lint(tarball);
    const dependencies = Object.keys(manifestOf(folder).dependencies ?? {});
    const alone = await install(join(scratch, 'alone'), [tarball, ...(await packAll(dependencies, scratch))]);
    const installed = listInstalled(alone);
    await compile(alone, ['breaker-alone.ts'], { skipLibCheck: false });
    const breakerAlone = await run(alone, 'breaker-alone.ts');
    const managerWithoutPeer = await run(alone, 'manager-without-peer.ts');
    linkPeer(alone);
    await compile(alone, ['manager.ts'], { skipLibCheck: true });
    const manager = await run(alone, 'manager.ts');
    return { problems, installed, printed: { breakerAlone, managerWithoutPeer, manager } };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Stages what `prepack` would leave, without touching the folder that other tests import from. */
async function packPackage(staged: string): Promise<string> {
  mkdirSync(staged, { recursive: true });
  await exec('tsc', ['-p', join(folder, 'tsconfig.build.json'), '--outDir', join(staged, 'dist')], folder);
  cpSync(join(folder, 'README.md'), join(staged, 'README.md'));
  cpSync(join(workspace, 'LICENSE'), join(staged, 'LICENSE'));
  writeFileSync(join(staged, 'package.json'), JSON.stringify(publishedManifest(manifestOf(folder))));
  return pack(staged, staged);
}

async function packAll(names: readonly string[], into: string): Promise<readonly string[]> {
  return Promise.all(names.map((name) => pack(realpathSync(join(folder, 'node_modules', name)), into)));
}

async function pack(source: string, into: string): Promise<string> {
  const printed = await exec('npm', ['pack', source, '--ignore-scripts', '--json', '--pack-destination', into], into);
  const answer = JSON.parse(printed) as { filename: string }[] | Record<string, { filename: string }>;
  const [packed] = Object.values(answer);
  if (packed === undefined) throw new Error(`npm pack of ${source} named no file: ${printed}`);
  return join(into, packed.filename);
}

async function lint(tarball: string): Promise<readonly string[]> {
  const { publint } = await import('publint');
  const { formatMessage } = await import('publint/utils');
  const data = readFileSync(tarball);
  const { messages, pkg } = await publint({ pack: { tarball: data.buffer as ArrayBuffer }, strict: true });
  const said = messages.map((message) => formatMessage(message, pkg) ?? message.code);
  // ES modules only, on purpose: a `require` gets them by Node's own `require(esm)`.
  const attw = await exec('attw', [tarball, '--profile', 'esm-only', '--format', 'json'], folder).catch(
    (error: { stdout?: string }) => error.stdout ?? String(error),
  );
  const { problems = {} } = JSON.parse(attw) as { problems?: Record<string, unknown[]> };
  const ignored = new Set(['NoResolution', 'CJSResolvesToESM']);
  return [...said, ...Object.keys(problems).filter((kind) => !ignored.has(kind))];
}

async function install(project: string, tarballs: readonly string[]): Promise<string> {
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
  const flags = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  await exec('npm', ['install', ...flags, ...tarballs], project);
  for (const file of readdirSync(consumers)) cpSync(join(consumers, file), join(project, file));
  return project;
}

function listInstalled(project: string): readonly string[] {
  const modules = join(project, 'node_modules');
  return readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(modules, name)).map((each) => `${name}/${each}`) : name,
    )
    .toSorted();
}

/** The peer and what it needs, as the workspace has them. */
function linkPeer(project: string): void {
  const source = realpathSync(join(folder, 'node_modules', PEER));
  const store = dirname(dirname(source));
  for (const scope of readdirSync(store)) {
    cpSync(join(store, scope), join(project, 'node_modules', scope), { recursive: true, dereference: true });
  }
}

async function compile(project: string, files: readonly string[], options: { skipLibCheck: boolean }): Promise<void> {
  const compilerOptions = {
    ...{ target: 'es2024', lib: ['es2024', 'dom'], module: 'nodenext', strict: true, noEmit: true },
    ...{ exactOptionalPropertyTypes: true, types: [], ...options },
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  await exec('tsc', ['-p', 'tsconfig.json'], project).catch((error: { stdout?: string }) => {
    throw new Error(`the types do not resolve:\n${error.stdout}`);
  });
}

function run(project: string, file: string): Promise<string> {
  return exec(process.execPath, [file], project);
}

function manifestOf(where: string): Manifest {
  return JSON.parse(readFileSync(join(where, 'package.json'), 'utf8')) as Manifest;
}

async function exec(command: string, args: readonly string[], cwd: string): Promise<string> {
  const own = [join(folder, 'node_modules', '.bin'), join(workspace, 'node_modules', '.bin')];
  // A test runner's own NODE_PATH would let the project find what it has not installed.
  const env = { ...process.env, PATH: [...own, process.env.PATH].join(':'), NODE_OPTIONS: '', NODE_PATH: '' };
  const { stdout } = await promisify(execFile)(command, [...args], { cwd, env, maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

if (import.meta.main) console.log(JSON.stringify(await checkPackage(), null, 2));
