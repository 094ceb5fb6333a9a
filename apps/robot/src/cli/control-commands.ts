/** `casare-robot status|pause|resume|limit|stop`: asks the robot of this machine through its control socket. */
import { loadConfig } from '@casare/config';
import type { JsonObject, JsonValue } from '@casare/execution';
import { askRobot } from '../control/ask-robot.ts';
import { account } from './account.ts';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { showDuration, showRemaining } from './show-duration.ts';
import { factLines, tableLines } from './table.ts';
import type { Terminal } from './terminal.ts';
import { timeText } from './time-text.ts';

export interface ControlFlags {
  readonly config?: string;
  readonly json: boolean;
}

/** Ms between two looks whether a stopping robot is gone. */
const lookAgainMs = 200;

export async function statusCommand(flags: ControlFlags, terminal: Terminal): Promise<number> {
  const status = (await askControl(flags, 'status')) as JsonObject;
  if (flags.json) terminal.print(JSON.stringify(status));
  else for (const line of statusLines(status)) terminal.print(line);
  return exitCodes.ok;
}

export async function pauseCommand(
  flags: ControlFlags & { readonly note?: string; readonly timeout?: number },
  terminal: Terminal,
): Promise<number> {
  const status = (await askControl(flags, 'pause', {
    requested_by: account(),
    note: flags.note ?? null,
    timeout_ms: flags.timeout ?? null,
  })) as JsonObject;
  const { paused } = status;
  const running = (status.running as readonly JsonObject[]).length;
  if (flags.json) terminal.print(JSON.stringify({ paused }));
  else terminal.print(`paused${pauseText(paused as JsonObject)}; ${running} running job(s) go on`);
  return exitCodes.ok;
}

export async function resumeCommand(
  flags: ControlFlags & { readonly note?: string },
  terminal: Terminal,
): Promise<number> {
  const args = { requested_by: account(), note: flags.note ?? null };
  const answer = (await askControl(flags, 'resume', args)) as JsonObject;
  if (flags.json) terminal.print(JSON.stringify(answer));
  else terminal.print(answer.was_paused === true ? 'resumed' : 'it was not paused');
  return exitCodes.ok;
}

export async function limitCommand(limit: number, flags: ControlFlags, terminal: Terminal): Promise<number> {
  await askControl(flags, 'limit', { requested_by: account(), max_concurrent_jobs: limit });
  if (flags.json) terminal.print(JSON.stringify({ max_concurrent_jobs: limit }));
  else terminal.print(`up to ${limit} job(s) at the same time, until the robot stops`);
  return exitCodes.ok;
}

export async function stopCommand(
  flags: ControlFlags & { readonly mode: string; readonly wait: boolean },
  terminal: Terminal,
): Promise<number> {
  await askControl(flags, 'stop', { requested_by: account(), mode: flags.mode });
  if (flags.wait) while (await isThere(flags)) await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
  const state = flags.wait ? 'stopped' : 'stopping';
  terminal.print(flags.json ? JSON.stringify({ state }) : state);
  return exitCodes.ok;
}

async function isThere(flags: ControlFlags): Promise<boolean> {
  try {
    await askControl(flags, 'status');
    return true;
  } catch (error) {
    if (error instanceof CliError && error.exitCode === exitCodes.unavailable) return false;
    throw error;
  }
}

/** @throws CliError with the exit code that says why */
export async function askControl(flags: ControlFlags, command: string, args: JsonObject = {}): Promise<JsonValue> {
  const { config } = loadConfig(flags.config === undefined ? {} : { file: flags.config });
  try {
    return await askRobot(config.robot.home, command, args);
  } catch (error) {
    throw new CliError(exitCodeOf((error as { code?: unknown }).code), explain(error));
  }
}

function exitCodeOf(code: unknown): number {
  if (code === 'NO_ROBOT' || code === 'ROBOT_SILENT') return exitCodes.unavailable;
  if (code === 'ROBOT_FORBIDDEN') return exitCodes.forbidden;
  return code === 'INVALID_ARGUMENT' ? exitCodes.usage : exitCodes.failed;
}

function explain(error: unknown): string {
  const { code, message } = error as { code?: unknown; message: string };
  return code === 'NO_ROBOT'
    ? `${message}; start one with \`casare-robot start\`, or name its folder in CASARE_HOME`
    : message;
}

export function statusLines(status: JsonObject): string[] {
  const running = status.running as readonly JsonObject[];
  const queued = status.queued as readonly string[];
  const waiting = status.waiting as readonly JsonObject[];
  const outbox = status.outbox as JsonObject;
  const paused = status.paused as JsonObject | null;
  const facts = factLines([
    ['robot', `${String(status.name)} (${String(status.robot_id)})`],
    [
      'process',
      `${String(status.pid)}, version ${String(status.version)}, up ${showDuration(Number(status.uptime_ms))}`,
    ],
    ['state', stateText(status)],
    ['page', typeof status.status_page === 'string' ? status.status_page : null],
    ['paused', paused === null ? null : `since ${timeText(paused.since)}${pauseText(paused)}`],
    ['connection', connectionText(status.connection as JsonObject | null)],
    ['jobs', `${running.length} running of up to ${String(status.max_concurrent_jobs)}, ${queued.length} queued`],
    ...waiting.map(doubtFact),
    ['to send', `${String(outbox.pending)} entries`],
    [
      'refused',
      Number(outbox.dead_letters) === 0 ? null : `${String(outbox.dead_letters)} entries (see \`outbox list\`)`,
    ],
    [
      'audit log',
      typeof status.audit_problem === 'string'
        ? `not as it was written: ${status.audit_problem} (see \`audit verify\`)`
        : null,
    ],
    ['log', typeof status.log_problem === 'string' ? `cannot be written: ${status.log_problem}` : null],
    ...incidentFacts((status.incidents ?? []) as readonly JsonObject[]),
  ]);
  if (running.length === 0) return facts;
  const columns = [
    { title: 'JOB' },
    { title: 'NAME' },
    { title: 'DONE', align: 'right' as const },
    { title: 'RUNNING', align: 'right' as const },
    { title: 'AT' },
  ];
  const rows = running.map((job) => [
    String(job.job_id),
    String(job.name),
    job.percent === null ? '' : `${String(job.percent)}%`,
    showDuration(Number(job.running_ms)),
    (job.nodes as readonly string[]).join(', ') || String(job.stage ?? ''),
  ]);
  return [...facts, '', ...tableLines(columns, rows)];
}

function doubtFact({ job_id: jobId, name, percent }: JsonObject): [string, string] {
  const done = percent === null ? '' : `, ${String(percent)}% done`;
  return ['in doubt', `${String(jobId)} ${String(name)}${done} (see \`job show\`)`];
}

function incidentFacts(incidents: readonly JsonObject[]): [string, string][] {
  return incidents.map(({ kind, at, job_id: jobId, detail }) => [
    'incident',
    `${String(kind)} at ${timeText(at)}${typeof jobId === 'string' ? `, job ${jobId}` : ''}: ${String(detail)}`,
  ]);
}

function stateText({ state, health, waiting }: JsonObject): string {
  const { length: count } = waiting as readonly JsonObject[];
  const waits = count === 0 ? '' : `, ${count} ${count === 1 ? 'job waits' : 'jobs wait'} for an answer`;
  const { state: condition, reasons } = health as JsonObject;
  const why = (reasons as readonly JsonObject[]).map(({ message }) => String(message));
  return `${String(state)}, ${String(condition)}${waits}${why.length === 0 ? '' : ` (not ready: ${why.join('; ')})`}`;
}

function connectionText(connection: JsonObject | null): string | null {
  if (connection === null) return null;
  const { url, state, last_error: lastError } = connection;
  return `${String(state).toLowerCase()}, ${String(url)}${typeof lastError === 'string' ? ` (${lastError})` : ''}`;
}

function pauseText({ note, remaining_ms: remainingMs }: JsonObject): string {
  const end = typeof remainingMs === 'number' ? `, resumes in ${showRemaining(remainingMs)}` : '';
  return `${end}${typeof note === 'string' ? ` (${note})` : ''}`;
}
