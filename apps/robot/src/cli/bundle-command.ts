/** `casare-robot job bundle`: what is kept of a failed job, on the machine of the robot that ran it. */
import { cp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { loadConfig } from '@casare/config';
import type { JsonObject, JsonValue } from '@casare/execution';
import { zipSync } from 'fflate';
import { bundleFolder } from '../bundle/bundle-places.ts';
import { bundleIds, readBundle } from '../bundle/failure-bundles.ts';
import { robotIdOf } from '../identity.ts';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { findJobId } from './find-job.ts';
import { type ConnectionFlags, withGateway } from './job-commands.ts';
import { factLines } from './table.ts';
import type { Terminal } from './terminal.ts';
import { timeText } from './time-text.ts';

export interface BundleFlags extends ConnectionFlags {
  readonly out?: string;
}

export async function bundleCommand(id: string, flags: BundleFlags, terminal: Terminal): Promise<number> {
  const { home } = loadConfig(flags.config === undefined ? {} : { file: flags.config }).config.robot;
  const [jobId, ...others] = /^[\w-]+$/.test(id) ? await bundleIds(home, id) : [];
  if (jobId === undefined) throw new CliError(exitCodes.failed, await whereElse(id, home, flags));
  if (others.length > 0) {
    throw new CliError(exitCodes.usage, `several bundles begin with ${id}: ${[jobId, ...others].join(', ')}`);
  }
  const folder = bundleFolder(home, jobId);
  const about = await readBundle(home, jobId);
  if (about === null)
    terminal.note(`casare-robot: its bundle.json is missing or damaged; what else is there is in ${folder}`);
  const path = flags.out === undefined ? folder : await copyTo(resolve(flags.out), folder);
  if (flags.json) terminal.print(JSON.stringify({ ...(about ?? { job_id: jobId }), path }));
  else for (const line of await sheet(about ?? { job_id: jobId }, folder, path)) terminal.print(line);
  return exitCodes.ok;
}

/** A zip when the name says so, else a folder. */
async function copyTo(target: string, folder: string): Promise<string> {
  if (await stat(target).catch(() => null)) {
    throw new CliError(exitCodes.usage, `${target} is there already; name a file or folder that is not`);
  }
  if (!target.toLowerCase().endsWith('.zip')) await cp(folder, target, { recursive: true });
  else {
    const names = await readdir(folder);
    const files = await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const));
    await writeFile(target, zipSync(Object.fromEntries(files)), { mode: 0o600 });
  }
  return target;
}

async function sheet(about: JsonObject, folder: string, path: string): Promise<string[]> {
  const error = objectOf(about.error);
  const versions = Object.entries(objectOf(about.versions)).map(([name, version]) => `${name} ${String(version)}`);
  const files = await Promise.all(
    (await readdir(folder)).sort().map(async (name) => `  ${name}  ${(await stat(join(folder, name))).size} bytes`),
  );
  const node = error.node_id === null || error.node_id === undefined ? '' : ` at ${String(error.node_id)}`;
  return [
    ...factLines([
      ['job', textOf(about.job_id)],
      ['name', textOf(about.name)],
      ['failed', timeText(about.at)],
      ['error', about.error === undefined ? null : `${textOf(error.code)}${node}: ${textOf(error.message)}`],
      ['workflow', textOf(about.workflow_hash)],
      ['versions', versions.join(', ')],
      ['bundle', path],
    ]),
    ...files,
  ];
}

/** The database knows which robot has it. */
async function whereElse(id: string, home: string, flags: BundleFlags): Promise<string> {
  const here = `this machine has no failure bundle of job ${id}`;
  let job: JsonObject | null;
  try {
    job = await withGateway(flags, async (gateway) => gateway.getJob(await findJobId(gateway, id)));
  } catch (error) {
    return `${here}, and which robot has it cannot be asked: ${(error as Error).message}`;
  }
  if (job === null) return `there is no job ${id}`;
  const bundle = objectOf(objectOf(job.error).bundle);
  if (typeof bundle.robot === 'string') {
    if (bundle.robot_id !== undefined && bundle.robot_id === (await robotIdOf(home))) {
      return `${here} any more: it was made here, and has been removed since, by hand or because failureBundles.maxCount, maxAgeDays or quotaMb were reached`;
    }
    return `${here}: the robot ${bundle.robot} has it; run \`casare-robot job bundle ${String(bundle.id)}\` on its machine`;
  }
  return `${here}, and the job names none (its status is ${textOf(job.status)}); only failed jobs have one, as long as it is kept`;
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function textOf(value: JsonValue | undefined): string {
  return value === undefined || value === null ? '' : String(value);
}
