/**
 * Runs without a database (`casare-robot run`): each has a store of its own in `runs/<id>`, kept until
 * the run has ended, so that an interrupted one can be taken up again.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RobotConfig } from '@casare/config';
import {
  type DoubtAnswer,
  type DoubtDecision,
  InProcessRunner,
  type JobSpec,
  type JournalEntry,
  type JsonObject,
  type LogLevel,
  type RunObserver,
  type RunReport,
  systemClock,
} from '@casare/execution';
import { CheckpointManager, OfflineQueue, openKeyFolder, openStore, type Store } from '@casare/offline-store';
import { localBundle } from './bundle/local-bundle.ts';
import type { NodeLibrary } from './compose-nodes.ts';
import { makeFolder, prepareHome, readJson, writeJsonDurably } from './home-folder.ts';
import { snapshotEveryEntries } from './job-journal.ts';
import { librarySurroundings } from './library-surroundings.ts';
import { sealedParts } from './sealed-parts.ts';
import { storeLimitBytes } from './store-room.ts';

export interface LocalRunRequest {
  readonly workflowJson: string;
  readonly name: string;
  readonly variables: JsonObject;
  /** Absolute. */
  readonly workDir: string;
  /** What its command line allowed besides the configuration, with absolute paths. */
  readonly permissions?: RunPermissions;
}

export interface RunPermissions {
  readonly allowPath: readonly string[];
  readonly allowShell: readonly string[];
  readonly allowNet: readonly string[];
}

export interface LocalRunContext {
  readonly library: NodeLibrary;
  readonly config: RobotConfig;
  readonly signal: AbortSignal;
  readonly onLog: (line: { level: string; node_id: string | null; message: string }) => void;
  readonly onProgress: (done: number, total: number, nodeId: string) => void;
  /** What is answered to everything that is in doubt, and by whom. Default: `jobExecution.inDoubtPolicy`. */
  readonly answer?: { readonly decision: DoubtDecision; readonly by: string };
}

export interface LocalRun {
  readonly jobId: string;
  readonly name: string;
  /** What the command line that began it allowed. */
  readonly permissions: RunPermissions;
  /** True when the run did not end for good and its folder was kept. */
  readonly isResumable: boolean;
  /** Folder of the failure bundle; null without one. */
  readonly bundle: string | null;
  execute(context: LocalRunContext): Promise<RunReport>;
}

/** Interrupted runs beyond this number are removed, oldest first (I7). */
const maxKeptRuns = 100;

export class WorkDirError extends Error {
  readonly code = 'WORK_DIR';
}

export class UnknownRunError extends Error {
  readonly code = 'RUN_UNKNOWN';
}

/** A new run; its folder is made, nothing runs yet. */
export async function prepareLocalRun(home: string, request: LocalRunRequest): Promise<LocalRun> {
  const jobId = randomUUID();
  await makeWorkDir(request.workDir);
  const runs = join(home, 'runs');
  const folder = join(runs, jobId);
  await prepareHome(home);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await pruneRuns(runs, jobId);
  await writeJsonDurably(join(folder, 'run.json'), { ...request });
  return localRun(home, jobId, request);
}

/**
 * The interrupted run whose id is, or alone begins with, `beginning`.
 *
 * @throws UnknownRunError
 */
export async function openLocalRun(home: string, beginning: string): Promise<LocalRun> {
  const runs = join(home, 'runs');
  const ids = (await readdir(runs).catch(() => [])).filter((name) => /^[0-9a-f-]{36}$/.test(name)).sort();
  const meant = beginning === '' ? [] : ids.filter((id) => id.startsWith(beginning));
  const [jobId] = meant;
  const request = (jobId === undefined ? undefined : await readJson(join(runs, jobId, 'run.json'))) as
    | LocalRunRequest
    | undefined;
  if (jobId === undefined || request === undefined || meant.length > 1) throw unknownRun(beginning, meant, ids);
  return localRun(home, jobId, request);
}

function unknownRun(beginning: string, meant: readonly string[], ids: readonly string[]): UnknownRunError {
  const named = (some: readonly string[]): string =>
    `${some.slice(0, 10).join(', ')}${some.length > 10 ? ` and ${some.length - 10} more` : ''}`;
  if (meant.length > 1) return new UnknownRunError(`several interrupted runs begin with ${beginning}: ${named(meant)}`);
  const others = ids.length === 0 ? 'none is interrupted' : `interrupted are: ${named(ids)}`;
  return new UnknownRunError(`there is no interrupted run ${beginning} (${others}); runs that have ended are not kept`);
}

function localRun(home: string, jobId: string, request: LocalRunRequest): LocalRun {
  const folder = join(home, 'runs', jobId);
  let isResumable = false;
  let bundle: string | null = null;
  return {
    jobId,
    name: request.name,
    permissions: request.permissions ?? { allowPath: [], allowShell: [], allowNet: [] },
    get isResumable() {
      return isResumable;
    },
    get bundle() {
      return bundle;
    },
    async execute(context) {
      const store = await openStore({
        path: join(folder, 'store.db'),
        robotId: jobId,
        synchronous: context.config.jobExecution.synchronous,
        maxBytes: storeLimitBytes(context.config),
        keys: openKeyFolder(join(home, 'keys')),
      });
      const kept = localBundle({ jobId, name: request.name }, context);
      let report: RunReport;
      try {
        report = await executeOn(store, jobId, request, { ...context, onLog: kept.onLog });
      } finally {
        await store.close();
      }
      isResumable = report.end.status === 'suspended' || report.end.status === 'in_doubt';
      bundle = await kept.finish(report);
      if (!isResumable) await rm(folder, { recursive: true, force: true });
      return report;
    },
  };
}

async function executeOn(
  store: Store,
  jobId: string,
  request: LocalRunRequest,
  context: LocalRunContext,
): Promise<RunReport> {
  const { library, config, signal, answer } = context;
  const queue = new OfflineQueue({ store, robotId: jobId });
  await queue.cacheJob({ jobId, workflowJson: request.workflowJson, name: request.name, variables: request.variables });
  const handle = new CheckpointManager(queue).startJob<JournalEntry>(jobId, request.name);
  const runner = new InProcessRunner({
    ...librarySurroundings(library, config),
    journalFor: () => ({
      snapshotEveryEntries,
      load: () => handle.load(),
      commit: (entries) => handle.commit(entries, { secret: sealedParts(entries) }),
    }),
    workDirFor: async () => {
      await makeWorkDir(request.workDir);
      return request.workDir;
    },
    observerFor: (_job, workflow) => observer(workflow.nodes.size, context),
    nodeTimeoutMs: config.jobExecution.nodeTimeoutMs,
    jobTimeoutMs: config.jobExecution.jobTimeoutMs,
    inDoubtPolicy: answer === undefined ? config.jobExecution.inDoubtPolicy : 'ask',
    logger: { log: (level: LogLevel, message) => context.onLog({ level, node_id: null, message }) },
  });
  const job: JobSpec = {
    jobId,
    name: request.name,
    workflowJson: request.workflowJson,
    variables: request.variables,
    priority: 0,
    inDoubtPolicy: null,
    timeoutMs: null,
  };
  return runToItsEnd((answers) => runner.run({ ...job, answers }, signal), answer);
}

/** Each question is answered as it comes up; one that cannot be answered so leaves the run in doubt. */
async function runToItsEnd(
  run: (answers: readonly DoubtAnswer[]) => Promise<RunReport>,
  answer: LocalRunContext['answer'],
): Promise<RunReport> {
  const given: DoubtAnswer[] = [];
  for (;;) {
    const report = await run(given);
    const asked = report.end.status === 'in_doubt' && answer !== undefined ? report.end.nodes : [];
    const at = new Date(systemClock.now()).toISOString();
    const news = asked.flatMap((question) => {
      const isGiven = given.some(({ step, attempt }) => step === question.step && attempt === question.attempt);
      if (answer === undefined || isGiven || !question.answers.includes(answer.decision)) return [];
      const { node_id, step, attempt } = question;
      return [{ node_id, step, attempt, answer: answer.decision, by: answer.by, at }];
    });
    if (news.length === 0) return report;
    given.push(...news);
  }
}

function observer(total: number, context: LocalRunContext): RunObserver {
  const done = new Set<string>();
  return {
    nodeStarted: (node) => context.onProgress(done.size, total, node.node_id),
    nodeFinished: (node) => {
      done.add(node.node_id);
      context.onProgress(done.size, total, node.node_id);
    },
    log: (entry) => context.onLog({ level: entry.level, node_id: entry.node_id, message: entry.message }),
  };
}

async function pruneRuns(runs: string, current: string): Promise<void> {
  const ids = (await readdir(runs)).filter((id) => id !== current);
  if (ids.length < maxKeptRuns) return;
  const aged = await Promise.all(ids.map(async (id) => ({ id, at: (await stat(join(runs, id))).mtimeMs })));
  aged.sort((a, b) => a.at - b.at);
  for (const { id } of aged.slice(0, ids.length - maxKeptRuns + 1)) {
    if (!(await isUnderWay(runs, id))) await rm(join(runs, id), { recursive: true, force: true });
  }
}

/** Whether a living process owns the run's store. */
async function isUnderWay(runs: string, id: string): Promise<boolean> {
  try {
    await (await openStore({ path: join(runs, id, 'store.db'), robotId: id })).close();
    return false;
  } catch (error) {
    return (error as { code?: unknown }).code === 'STORE_OWNED';
  }
}

async function makeWorkDir(workDir: string): Promise<void> {
  try {
    await makeFolder(workDir);
  } catch (error) {
    throw new WorkDirError(`the work folder ${workDir} cannot be used: ${(error as Error).message}`, { cause: error });
  }
}
