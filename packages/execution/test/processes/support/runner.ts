/** A runner with real processes, a journal in memory, and everything it started gone when the test ends. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { JournalEntry } from '../../../src/engine/journal.ts';
import type { RunObserver, RunReport } from '../../../src/engine/run-options.ts';
import type { JobSpec } from '../../../src/jobs/job-runner.ts';
import type { JsonObject } from '../../../src/json.ts';
import type { RunJournal } from '../../../src/ports.ts';
import { ProcessRunner, type ProcessRunnerOptions } from '../../../src/processes/process-runner.ts';
import { readProcess } from '../../../src/processes/process-table.ts';
import { type FileSpec, TestJournal, workflowFile } from '../../engine/harness.ts';

/** Shared by all runs of these tests, for their speed. */
const cacheDir = join(tmpdir(), `casare-test-compile-cache-${process.getuid?.() ?? 'user'}`);

export interface Line {
  readonly level: string;
  readonly message: string;
}

export interface TestRunner {
  readonly runner: ProcessRunner;
  readonly workDir: string;
  readonly registerPath: string;
  readonly journal: TestJournal;
  /** What runs in all jobs reported, by name. */
  readonly notices: { readonly name: string; readonly notice: unknown }[];
  readonly lines: Line[];
  run(spec: FileSpec, options?: RunChoices): Promise<RunReport>;
  /** The ids in the register's file. */
  registered(): readonly number[];
  /** The lines that nodes have left so far. */
  marks(): readonly string[];
}

export interface RunChoices {
  readonly jobId?: string;
  readonly signal?: AbortSignal;
  readonly journal?: RunJournal;
  readonly timeoutMs?: number | null;
  readonly inDoubtPolicy?: JobSpec['inDoubtPolicy'];
}

export function testRunner(options: Partial<ProcessRunnerOptions> = {}): TestRunner {
  const workDir = mkdtempSync(join(tmpdir(), 'casare-processes-'));
  const journal = new TestJournal();
  const journals = new Map<string, RunJournal>();
  const notices: { name: string; notice: unknown }[] = [];
  const lines: Line[] = [];
  const registerPath = join(workDir, 'job-processes.json');
  const runner = new ProcessRunner({
    entry: new URL('./child.ts', import.meta.url),
    setup: {},
    env: process.env,
    compileCacheDir: cacheDir,
    mark: `test-${process.pid}-${journals.size}-${workDir.slice(-6)}`,
    registerPath,
    bootId: 'boot',
    journalFor: (job) => journals.get(job.jobId) ?? journal,
    workDirFor: async () => workDir,
    observerFor: () => noticing(notices),
    nodeTimeoutMs: 60_000,
    cancelGraceMs: 500,
    warm: 0,
    logger: { log: (level, message) => lines.push({ level, message }) },
    ...options,
  });
  onTestFinished(async () => {
    await runner.close();
    rmSync(workDir, { recursive: true, force: true });
  });
  return {
    runner,
    workDir,
    registerPath,
    journal,
    notices,
    lines,
    async run(spec, { jobId = 'job-1', signal = new AbortController().signal, journal: own, ...rest } = {}) {
      if (own !== undefined) journals.set(jobId, own);
      return runner.run(jobOf(jobId, spec, rest), signal);
    },
    registered: () => {
      const file = JSON.parse(readFileSync(registerPath, 'utf8')) as { processes: { pid: number }[] };
      return file.processes.map(({ pid }) => pid);
    },
    marks: () => {
      try {
        return readFileSync(join(workDir, 'marks'), 'utf8').split('\n').slice(0, -1);
      } catch {
        return [];
      }
    },
  };
}

function jobOf(jobId: string, spec: FileSpec, { timeoutMs = null, inDoubtPolicy = null }: RunChoices): JobSpec {
  const workflowJson = JSON.stringify(workflowFile(spec));
  return { jobId, name: jobId, workflowJson, variables: {}, priority: 0, inDoubtPolicy, timeoutMs };
}

function noticing(notices: { name: string; notice: unknown }[]): RunObserver {
  const note = (name: string) => (notice: unknown) => void notices.push({ name, notice });
  return {
    runStarted: note('runStarted'),
    nodeStarted: note('nodeStarted'),
    nodeFinished: note('nodeFinished'),
    nodeFailed: note('nodeFailed'),
    log: note('log'),
    runEnded: note('runEnded'),
  };
}

/** Nodes one after the other. */
export function chain(...nodes: readonly (readonly [id: string, type: string, config?: JsonObject])[]): FileSpec {
  return {
    nodes: Object.fromEntries(nodes.map(([id, type, config]) => [id, [type, config ?? {}] as const])),
    connect: nodes.length > 1 ? [nodes.map(([id]) => id).join(' -> ')] : [],
  };
}

export function stopper(): {
  readonly signal: AbortSignal;
  cancel(reason: string): void;
  suspend(reason: string, limits?: { readonly withinMs: number }): void;
} {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    cancel: (reason) => controller.abort({ kind: 'cancel', reason }),
    suspend: (reason, limits) => controller.abort({ kind: 'suspend', reason, ...limits }),
  };
}

export function kindsOf(entries: readonly JournalEntry[]): readonly string[] {
  return entries.map((entry) => ('node_id' in entry ? `${entry.kind} ${entry.node_id}` : entry.kind));
}

export function isAlive(pid: number): boolean {
  return readProcess(pid) !== null;
}
