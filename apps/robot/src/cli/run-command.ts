/** `casare-robot run FILE`: the production engine on one file, with checkpoints and without a database. */
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { loadConfig } from '@casare/config';
import {
  checkWorkflow,
  type DoubtDecision,
  type DoubtQuestion,
  type Finding,
  type JsonObject,
  mayHaveHappened,
  type NamesCutOff,
  type RunReport,
  redactedReport,
  type StopRequest,
  withHidden,
} from '@casare/execution';
import { escapeControl } from '@casare/observability/lines';
import { createNodeLibrary } from '../compose-nodes.ts';
import { type LocalRun, openLocalRun, prepareLocalRun } from '../local-run.ts';
import { asStillRunning } from './already-running.ts';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { absolutePath, allow, type PermissionFlags } from './permission-flags.ts';
import { allFindings, parseVariables, readWorkflowFile, unmentioned } from './read-workflow-file.ts';
import type { Terminal } from './terminal.ts';
import { describeFinding } from './validate-command.ts';

export interface RunOptions extends PermissionFlags {
  readonly var: readonly string[];
  readonly workDir?: string;
  readonly resume?: string;
  readonly retry?: boolean;
  readonly skip?: boolean;
  readonly fail?: boolean;
  readonly json: boolean;
}

export async function runCommand(named: string | undefined, options: RunOptions, terminal: Terminal): Promise<number> {
  const { config, warnings } = loadConfig();
  for (const warning of warnings) terminal.note(`warning: ${warning}`);
  const { file, flags } = withFileOf(named, options);
  const decision = decisionOf(options);
  const interrupted = await interruptedRun(file, options, config.robot.home);
  if (interrupted !== null) allow(config, interrupted.permissions);
  allow(config, flags);
  const library = await createNodeLibrary(config);
  const { registry } = library;
  const stop = stopOnSignals(terminal);
  try {
    const run = interrupted ?? (await newRun(file, config.robot.home));
    if ('findings' in run) return refuse(run.findings, options, terminal);
    const watcher = watchRun(options, terminal);
    if (!options.json) terminal.note(`run ${run.jobId}`);
    const answer = decision === null ? {} : { answer: { decision, by: userInfo().username } };
    const report = await run
      .execute({ library, config, signal: stop.signal, ...watcher, ...answer })
      .catch((error: unknown): never => {
        throw asStillRunning(error, run.jobId);
      });
    // What a person sees of a run holds no secret; the run itself keeps its values.
    const shown = redactedReport(withHidden(report, report.secret), (text) => library.redactor.text(text));
    return finish(run, shown, options, watcher.logs, terminal);
  } finally {
    stop.dispose();
  }

  async function newRun(
    path: string | undefined,
    home: string,
  ): Promise<LocalRun | { readonly findings: readonly Finding[] }> {
    if (path === undefined) throw new CliError(exitCodes.usage, 'name a workflow file, or --resume an interrupted run');
    const { allowPath, allowShell, allowNet } = flags;
    const bundle = await readWorkflowFile(path);
    const { text: workflowJson } = bundle;
    if (bundle.findings.length > 0) return { findings: allFindings(bundle, registry) };
    const variables = parseVariables(options.var);
    const { workflow, findings } = checkWorkflow(workflowJson, registry, {}, variables);
    if (workflow === null) return { findings };
    for (const name of unmentioned(variables, workflowJson))
      terminal.note(`warning: the workflow mentions no variable "${name}"`);
    if (!options.json) for (const finding of findings) terminal.note(describeFinding(finding));
    return prepareLocalRun(home, {
      workflowJson,
      name: workflow.name,
      variables,
      workDir: resolve(options.workDir ?? '.'),
      permissions: { allowPath: allowPath.map(absolutePath), allowShell, allowNet },
    });
  }
}

/** @throws CliError when what an interrupted run has already is given anew; UnknownRunError */
async function interruptedRun(file: string | undefined, options: RunOptions, home: string): Promise<LocalRun | null> {
  if (options.resume === undefined) return null;
  if (file !== undefined || options.var.length > 0 || options.workDir !== undefined) {
    throw new CliError(exitCodes.usage, '--resume takes the file, variables and work folder of the interrupted run');
  }
  return openLocalRun(home, options.resume);
}

/** @throws CliError unless at most one answer is given, and to an interrupted run */
function decisionOf({ resume, retry, skip, fail }: RunOptions): DoubtDecision | null {
  const [decision, ...others] = Object.entries({ retry, skip, fail }).flatMap(([name, isGiven]) =>
    isGiven === true ? [name as DoubtDecision] : [],
  );
  if (decision === undefined) return null;
  if (others.length > 0 || resume === undefined) {
    throw new CliError(
      exitCodes.usage,
      '--retry, --skip and --fail answer an interrupted run: give one of them, with --resume',
    );
  }
  return decision;
}

/** `--allow-shell flow.json` takes the file for a program: give it back. */
function withFileOf(
  file: string | undefined,
  options: RunOptions,
): { readonly file: string | undefined; readonly flags: PermissionFlags } {
  const last = options.allowShell.at(-1);
  if (file !== undefined || options.resume !== undefined || last === undefined || !/\.json$/i.test(last)) {
    return { file, flags: options };
  }
  return { file: last, flags: { ...options, allowShell: [...options.allowShell.slice(0, -1), '*'] } };
}

interface LogLine {
  readonly level: string;
  readonly node_id: string | null;
  readonly message: string;
}

/** Log lines past this number are not kept for `--json` (I7). */
const maxLogLines = 10_000;

function watchRun(options: RunOptions, terminal: Terminal) {
  const logs: LogLine[] = [];
  return {
    logs,
    onLog: (line: LogLine): void => {
      if (logs.length < maxLogLines) logs.push(line);
      if (!options.json)
        terminal.print(escapeControl(`${line.level.padEnd(8)} ${line.node_id ?? ''}: ${line.message}`));
    },
    onProgress: (done: number, total: number, nodeId: string): void => {
      if (options.json) return;
      const filled = total === 0 ? 0 : Math.min(20, Math.round((20 * done) / total));
      terminal.status(`[${'#'.repeat(filled)}${'.'.repeat(20 - filled)}] ${done}/${total} ${escapeControl(nodeId)}`);
    },
  };
}

function finish(
  run: LocalRun,
  report: RunReport,
  options: RunOptions,
  logs: readonly LogLine[],
  terminal: Terminal,
): number {
  const { end } = report;
  const error = errorOf(report);
  if (options.json) {
    terminal.print(
      JSON.stringify({
        job_id: run.jobId,
        workflow: run.name,
        status: end.status,
        duration_ms: end.duration_ms,
        nodes_total: end.nodes_total,
        nodes_executed: end.nodes_executed,
        nodes_skipped: end.nodes_skipped,
        may_have_happened: cutOffOf(report),
        error,
        variables: report.variables,
        outputs: report.outputs,
        logs,
        bundle: run.bundle,
      }),
    );
  } else {
    terminal.status('');
    const seconds = (end.duration_ms / 1_000).toFixed(1);
    const nodes = `${end.nodes_executed} of ${end.nodes_total} nodes executed`;
    if (error !== null) {
      const place = error.node_id === null ? '' : ` at node ${String(error.node_id)}`;
      terminal.note(escapeControl(`${String(error.code)}${place}: ${String(error.message)}`));
    }
    terminal.print(`${end.status} in ${seconds} s: ${nodes}`);
    if (end.status === 'completed' && end.may_have_happened !== undefined) terminal.note(mayHaveHappened(end));
    if (run.bundle !== null) terminal.note(`failure bundle: ${run.bundle}`);
    const { passedOver = [] } = report;
    const notReached = report.skipped.filter((nodeId) => !passedOver.includes(nodeId));
    if (passedOver.length > 0) terminal.note(`passed over: ${listed(passedOver)}`);
    if (notReached.length > 0) terminal.note(`not reached: ${listed(notReached)}`);
    if (end.status === 'in_doubt') for (const question of end.nodes) terminal.note(questionText(question));
    const answers = end.status === 'in_doubt' ? ' --retry | --skip | --fail' : '';
    if (run.isResumable) terminal.note(`go on with: casare-robot run --resume ${run.jobId}${answers}`);
  }
  return exitCodeByEnd[end.status];
}

const exitCodeByEnd: Readonly<Record<RunReport['end']['status'], number>> = {
  completed: exitCodes.ok,
  failed: exitCodes.failed,
  in_doubt: exitCodes.inDoubt,
  suspended: exitCodes.suspended,
  cancelled: exitCodes.cancelled,
};

function questionText({ node_id: nodeId, place, reason }: DoubtQuestion): string {
  const what = nodeId === null ? 'the run as a whole' : `node ${nodeId}${place === undefined ? '' : ` (${place})`}`;
  return `in doubt: ${what}: ${reason}`;
}

function listed(nodeIds: readonly string[]): string {
  const shown = nodeIds.slice(0, 20).join(', ');
  return nodeIds.length > 20 ? `${shown} and ${nodeIds.length - 20} more` : shown;
}

function cutOffOf({ end }: RunReport): NonNullable<NamesCutOff['may_have_happened']> {
  const names: NamesCutOff =
    end.status === 'failed' ? end.error : end.status === 'in_doubt' || end.status === 'suspended' ? {} : end;
  return names.may_have_happened ?? [];
}

function errorOf(report: RunReport): JsonObject | null {
  const { end } = report;
  switch (end.status) {
    case 'completed':
      return null;
    case 'failed':
      return {
        code: end.error.code,
        category: end.error.category,
        message: end.error.message,
        node_id: end.error.node_id,
      };
    case 'cancelled': {
      const { reason, may_have_happened: cutOff = [] } = end;
      const message = cutOff.length === 0 ? reason : `${reason}; ${mayHaveHappened(end)}`;
      return { code: 'CANCELLED', category: 'permanent', message, node_id: cutOff[0]?.node_id ?? null };
    }
    case 'in_doubt': {
      const first = end.nodes[0];
      return {
        code: 'IN_DOUBT',
        category: 'unknown',
        message: first?.reason ?? 'a node was interrupted',
        node_id: first?.node_id ?? null,
      };
    }
    case 'suspended':
      return { code: 'SUSPENDED', category: 'transient', message: end.reason, node_id: null };
  }
}

function refuse(findings: readonly Finding[], options: RunOptions, terminal: Terminal): number {
  const errors = findings.filter((finding) => finding.severity === 'error');
  if (options.json) {
    const first = errors[0];
    terminal.print(
      JSON.stringify({
        job_id: null,
        workflow: null,
        status: 'invalid',
        duration_ms: 0,
        nodes_total: 0,
        nodes_executed: 0,
        nodes_skipped: 0,
        error: {
          code: 'WORKFLOW_INVALID',
          category: 'permanent',
          message: first?.message ?? 'the workflow is not valid',
          node_id: first?.node ?? null,
        },
        findings,
        variables: {},
        outputs: {},
        logs: [],
      }),
    );
  } else {
    for (const finding of findings) terminal.note(describeFinding(finding));
    terminal.note('the workflow is not valid; nothing was run');
  }
  return exitCodes.invalidWorkflow;
}

/** The first signal cancels the run; the second ends the process at once, and the run can be resumed. */
function stopOnSignals(terminal: Terminal): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(exitCodes.cancelled);
    terminal.note('cancelling (again: exit at once)');
    controller.abort({ kind: 'cancel', reason: `stopped by ${signal}` } satisfies StopRequest);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    dispose: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
