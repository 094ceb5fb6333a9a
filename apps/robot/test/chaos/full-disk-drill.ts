/**
 * A disk that fills up under running jobs: the robot's home is a small file system of its own, which something else fills to
 * its last byte and frees again. The robot says that it is not ready and why, does not crash, and its jobs go on by
 * themselves. The file system is made in a namespace of the robot's own, so that nobody has to be root.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { SupabaseServer } from '@casare/local-supabase';
import { eventually } from '@casare/testing';
import { type RunningCommand, startCommand } from '../support/command.ts';
import { operatorOf } from '../support/operator.ts';
import { endProblems } from './check-ends.ts';
import { type CountingServer, startCountingServer } from './counting-server.ts';
import { endlessJob, turnProblems } from './endless-jobs.ts';
import { killableRobot } from './restarted-robot.ts';

export interface FullDiskDrillOptions {
  readonly server: Pick<SupabaseServer, 'url' | 'serviceKey' | 'sql'>;
  /** An empty folder. */
  readonly folder: string;
  readonly rounds: number;
}

export interface FullDiskDrillReport {
  readonly effects: number;
  /** Effects that the jobs did once there was room again, in all rounds. */
  readonly effectsAfterwards: number;
  /** From the last byte until `/readyz` said 503 for the store, per round, in ms. */
  readonly notReadyAfterMs: readonly number[];
  /** From the removal of what had filled the disk until `/readyz` said 200, per round, in ms. */
  readonly readyAfterMs: readonly number[];
  /** What `/readyz` gave as its reason, in the last round. */
  readonly reason: string;
  readonly violations: readonly string[];
}

const patience = { timeoutMs: 180_000, intervalMs: 50 };
const diskMb = 48;
const jobsPerRound = 4;
const furtherTurns = 3;
/** So much that a few turns need new pages of the store. */
const bytesPerTurn = 100_000;

/** Why a file system of one's own cannot be had here; null when it can. */
export function whyNoOwnDisk(): string | null {
  const mount = 'mount -t tmpfs -o size=1m tmpfs /mnt';
  const { status, error, stderr } = spawnSync('unshare', ['-Urm', 'sh', '-c', mount], { encoding: 'utf8' });
  if (status === 0) return null;
  const why = error?.message ?? stderr.trim();
  return `no unprivileged user namespace with a file system of its own (unshare -Urm; ${mount}): ${why}`;
}

export async function fullDiskDrill(options: FullDiskDrillOptions): Promise<FullDiskDrillReport> {
  const counting = await startCountingServer();
  const drill = new FullDiskDrill(options, counting);
  try {
    return await drill.run();
  } finally {
    await drill.close();
    await counting.close();
  }
}

class FullDiskDrill {
  readonly #options: FullDiskDrillOptions;
  readonly #counting: CountingServer;
  readonly #home: string;
  readonly #robot: RunningCommand;
  readonly #notReadyAfterMs: number[] = [];
  readonly #readyAfterMs: number[] = [];
  readonly #violations: string[] = [];
  #effectsAfterwards = 0;
  #reason = '';

  constructor(options: FullDiskDrillOptions, counting: CountingServer) {
    const { server, folder } = options;
    this.#options = options;
    this.#counting = counting;
    const home = join(folder, 'home');
    const pointsFolder = join(folder, 'points');
    mkdirSync(home);
    mkdirSync(pointsFolder);
    const mounted = 'mount -t tmpfs -o size="$1"m tmpfs "$2" && shift 2 && exec "$@"';
    this.#robot = startCommand(['start'], {
      ...killableRobot({
        server,
        home,
        pointsFolder,
        jobs: jobsPerRound,
        env: { CASARE_OBSERVABILITY_MIN_FREE_DISK_MB: '1' },
      }),
      within: ['unshare', '-Urm', 'sh', '-c', mounted, 'sh', String(diskMb), home],
    });
    // As the robot sees it: for everybody else the folder is empty.
    this.#home = join(`/proc/${this.#robot.child.pid}/root`, home);
  }

  async run(): Promise<FullDiskDrillReport> {
    let page = '';
    const hasPage = (): boolean => {
      page = this.#robot.lines.find((line) => line.startsWith('status page '))?.slice('status page '.length) ?? '';
      return page !== '';
    };
    try {
      await eventually('the robot has started', hasPage, patience);
      for (let round = 0; round < this.#options.rounds; round += 1) await this.#round(round, new URL('readyz', page));
    } catch (error) {
      this.#violations.push(`${String(error)}; ${this.#robot.errors.slice(-5).join(' | ')}`);
    }
    const { exitCode, signalCode } = this.#robot.child;
    if (exitCode !== null || signalCode !== null) this.#violations.push(`the robot ended: ${exitCode ?? signalCode}`);
    return {
      effects: this.#counting.effects.length,
      effectsAfterwards: this.#effectsAfterwards,
      notReadyAfterMs: this.#notReadyAfterMs,
      readyAfterMs: this.#readyAfterMs,
      reason: this.#reason,
      violations: this.#violations,
    };
  }

  async close(): Promise<void> {
    await this.#robot.kill();
  }

  async #round(round: number, readyz: URL): Promise<void> {
    const counting = this.#counting;
    let isOver = false;
    counting.hasMore = () => !isOver;
    const tags = Array.from({ length: jobsPerRound }, (_unused, index) => `k${round}x${index}`);
    const operator = await operatorOf(this.#options.server);
    const jobIds: string[] = [];
    for (const tag of tags) jobIds.push(await operator.submit(endlessJob(tag, counting.url, bytesPerTurn)));
    await operator.close();
    await this.#furtherTurns(tags);
    await eventually('the robot is ready', async () => (await ask(readyz)).status === 200, patience);

    const refusedBefore = this.#refusals();
    let fullAt = 0;
    const isRefused = async (): Promise<boolean> => {
      if (this.#fill() && fullAt === 0) fullAt = performance.now();
      const { status, body } = await ask(readyz);
      this.#reason = /the store cannot be written to: [^"]*/.exec(body)?.[0] ?? '';
      return status === 503 && this.#reason !== '';
    };
    await eventually('/readyz says that the store cannot be written to', isRefused, patience);
    this.#notReadyAfterMs.push(Math.round(performance.now() - fullAt));
    const isStopped = (): boolean => {
      this.#fill();
      return this.#refusals() > refusedBefore;
    };
    await eventually('a job waits for room', isStopped, patience);

    const before = counting.effects.length;
    rmSync(join(this.#home, 'filler'));
    const freedAt = performance.now();
    await eventually('the robot is ready again', async () => (await ask(readyz)).status === 200, patience);
    this.#readyAfterMs.push(Math.round(performance.now() - freedAt));
    await this.#furtherTurns(tags);
    this.#effectsAfterwards += counting.effects.length - before;
    isOver = true;
    for (const [index, jobId] of jobIds.entries()) await this.#check(tags[index] ?? '', jobId);
  }

  /** Takes all the room there is. @returns whether there is none left */
  #fill(): boolean {
    for (let bytes = 1 << 20; bytes >= 1; ) {
      try {
        appendFileSync(join(this.#home, 'filler'), Buffer.alloc(bytes));
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'ENOSPC') throw error;
        bytes >>= 1;
      }
    }
    return statfsSync(this.#home).bavail === 0;
  }

  #refusals(): number {
    return this.#robot.errors.filter((line) => line.includes('is suspended')).length;
  }

  async #furtherTurns(tags: readonly string[]): Promise<void> {
    const goals = tags.map((tag) => ({ tag, goal: this.#turns(tag) + furtherTurns }));
    await eventually('all jobs go on', () => goals.every(({ tag, goal }) => this.#turns(tag) >= goal), patience);
  }

  #turns(tag: string): number {
    return this.#counting.of(`${tag}-effect`).length;
  }

  async #check(tag: string, jobId: string): Promise<void> {
    const { server } = this.#options;
    const running = (): Promise<readonly unknown[]> =>
      server.sql("select 1 from jobs where id = $1 and status in ('pending', 'running')", [jobId]);
    await eventually(`${tag} ends`, async () => (await running()).length === 0, patience);
    const problems = [...(await endProblems(server, jobId, 'partial')), ...turnProblems(tag, this.#counting)];
    this.#violations.push(...problems.map((problem) => `${tag}: ${problem}`));
  }
}

async function ask(readyz: URL): Promise<{ readonly status: number; readonly body: string }> {
  const answer = await fetch(readyz);
  return { status: answer.status, body: await answer.text() };
}
