/**
 * What an operator needs to see why a job failed, in one folder per job: the error with its causes, the last nodes with
 * their inputs, pictures and traces of open pages, the end of the job's log, versions and the workflow's hash.
 *
 * staged by the process that ran the node (`evidenceKeeper`) -> finished here when the job has failed, or dropped.
 * Nothing of it may keep a job from ending as it ends: it never throws, and has a limited time. Bounded in size, number
 * and age (I7); files are their owner's alone, and hold no known secret (I8).
 */
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Settings } from '@casare/config';
import type { Clock, JsonObject, Logger, RunOutcome } from '@casare/execution';
import type { LogRecord, Redactor } from '@casare/observability';
import { messageOf } from '../message-of.ts';
import { robotVersion } from '../version.ts';
import { BundleFiles, folderBytes } from './bundle-files.ts';
import { bundleFolder, bundlesFolder, isBundleId, stagingFolder } from './bundle-places.ts';

export interface FailureBundlesOptions {
  readonly config: Pick<Settings, 'robot' | 'failureBundles'>;
  readonly robot: { readonly id: string; readonly name: string } | null;
  readonly library: string;
  readonly redactor: Redactor;
  /** The last lines of a job's log, oldest first. */
  readonly logOf: (jobId: string, sinceMs: number) => Promise<readonly LogRecord[]>;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface FailedJob {
  readonly jobId: string;
  readonly name: string;
  /** Null for a run without a database. */
  readonly leaseToken: string | null;
}

const megabyte = 1024 * 1024;
const dayMs = 86_400_000;
const limitMs = 15_000;

export class FailureBundles {
  readonly #options: FailureBundlesOptions;

  constructor(options: FailureBundlesOptions) {
    this.#options = options;
  }

  /** To be called before the outcome is recorded; resolves with the link to the bundle, or null without one. Never rejects. */
  async finish(job: FailedJob, outcome: RunOutcome): Promise<JsonObject | null> {
    const { config, logger, clock } = this.#options;
    if (!config.failureBundles.enabled || !isBundleId(job.jobId)) return null;
    const timer = new AbortController();
    const late = clock.sleep(limitMs, timer.signal).then(
      () => {
        const why = `it took longer than ${limitMs / 1_000} s; the job's result does not name it`;
        logger.log('warning', `the failure bundle of a job is late: ${why}`, { job_id: job.jobId });
        return null;
      },
      () => null,
    );
    try {
      return await Promise.race([outcome.status === 'failed' ? this.#keep(job, outcome) : this.#drop(job), late]);
    } catch (error) {
      logger.log('warning', `the failure bundle of a job could not be written: ${messageOf(error)}`, {
        job_id: job.jobId,
      });
      return null;
    } finally {
      timer.abort();
    }
  }

  async #drop({ jobId }: FailedJob): Promise<null> {
    await rm(stagingFolder(this.#options.config.robot.home, jobId), { recursive: true, force: true });
    return null;
  }

  async #keep(job: FailedJob, outcome: Extract<RunOutcome, { readonly status: 'failed' }>): Promise<JsonObject> {
    const { config, robot, library, redactor, logOf, clock } = this.#options;
    const { home } = config.robot;
    const { jobId, name, leaseToken } = job;
    const staging = stagingFolder(home, jobId);
    const folder = bundleFolder(home, jobId);
    const link: JsonObject = { id: jobId, ...(robot === null ? {} : { robot_id: robot.id, robot: robot.name }) };
    // The outcome could not be recorded the last time: the bundle is there.
    if ((await readBundle(home, jobId))?.lease === leaseToken && !(await exists(staging))) return link;
    const files = await BundleFiles.goOn(staging, config.failureBundles.maxMb * megabyte);
    const lines = await logOf(jobId, clock.now() - outcome.duration_ms - dayMs);
    await files.writeLines(
      'log.jsonl',
      lines.map((line) => redactor.text(JSON.stringify(line))),
    );
    const staged = await readJsonFile(join(staging, 'failure.json'));
    const pages = await readJsonFile(join(staging, 'pages.json'));
    await files.writeCover(
      'bundle.json',
      redactor.json({
        version: 1,
        job_id: jobId,
        lease: leaseToken,
        name,
        ...(robot === null ? {} : { robot_id: robot.id, robot_name: robot.name }),
        at: new Date(clock.now()).toISOString(),
        error: outcome.error,
        duration_ms: outcome.duration_ms,
        workflow_hash: staged?.workflow_hash ?? null,
        versions: {
          robot: robotVersion,
          node: process.version,
          platform: `${process.platform} ${process.arch}`,
          library,
        },
        files: (await readdir(staging)).sort(),
        left_out: [...(Array.isArray(pages?.left_out) ? pages.left_out : []), ...files.leftOut],
      }),
    );
    await rm(folder, { recursive: true, force: true });
    await rename(staging, folder);
    await this.#retain(jobId);
    return link;
  }

  /** The oldest go first; the one that was just made stays. */
  async #retain(current: string): Promise<void> {
    const { config, clock } = this.#options;
    const { maxCount, maxAgeDays, quotaMb } = config.failureBundles;
    const bundles = bundlesFolder(config.robot.home);
    const staged = (await names(join(bundles, '.staging'))).map((name) => join('.staging', name));
    const found = await Promise.all(
      [...(await names(bundles)), ...staged].map(async (name) => {
        const path = join(bundles, name);
        // Another job's may be finished, or dropped, at this moment.
        const [stats, bytes] = await Promise.all([stat(path).catch(() => null), folderBytes(path)]);
        return stats === null ? [] : [{ name, path, mtimeMs: stats.mtimeMs, bytes }];
      }),
    );
    const known = found.flat();
    let count = 0;
    let bytes = 0;
    for (const each of known.sort((a, b) => b.mtimeMs - a.mtimeMs)) {
      count += 1;
      bytes += each.bytes;
      const isOver = count > maxCount || bytes > quotaMb * megabyte;
      const isOld = clock.now() - each.mtimeMs > maxAgeDays * dayMs;
      if ((isOver || isOld) && each.name !== current) await rm(each.path, { recursive: true, force: true });
    }
  }
}

async function names(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(() => [] as string[])).filter((name) => isBundleId(name));
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}

/** What a bundle says of itself; null when there is none. */
export function readBundle(home: string, jobId: string): Promise<JsonObject | null> {
  return readJsonFile(join(bundleFolder(home, jobId), 'bundle.json'));
}

/** Of bundles whose id begins so. */
export async function bundleIds(home: string, prefix: string): Promise<readonly string[]> {
  return (await names(bundlesFolder(home))).filter((name) => name.startsWith(prefix));
}

async function readJsonFile(path: string): Promise<JsonObject | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as JsonObject;
  } catch {
    return null;
  }
}
