/** `casare-robot logs`: the robot's own log, from its files. */
import { loadConfig, validateConfig } from '@casare/config';
import type { LogLevel } from '@casare/execution';
import { followLog, formatLine, type LogFilter, type LogRecord, readLog } from '@casare/observability';
import { logPath } from '../logs/compose-logs.ts';
import { exitCodes } from './exit-codes.ts';
import { untilInterrupted } from './interruption.ts';
import { severalJobs } from './several-jobs.ts';
import type { Terminal } from './terminal.ts';

export interface LogsOptions {
  readonly follow?: boolean;
  readonly job?: string;
  readonly level?: LogLevel;
  readonly since?: number;
  readonly lines?: number;
  readonly json: boolean;
  readonly config?: string;
}

const followedLines = 10;

export async function logsCommand(options: LogsOptions, terminal: Terminal): Promise<number> {
  const { config, job, level, since, lines, follow = false, json } = options;
  const path = logPath(validateConfig(loadConfig(config === undefined ? {} : { file: config }).config));
  const last = lines ?? (follow && since === undefined ? followedLines : undefined);
  const filter: LogFilter = {
    ...(job === undefined ? {} : { jobId: job, isWholeId: (await jobsThatBegin(path, job)).has(job) }),
    ...(level === undefined ? {} : { level }),
    ...(since === undefined ? {} : { since }),
    ...(last === undefined ? {} : { last }),
  };
  const show = (line: LogRecord): void => terminal.print(formatLine(line, json ? 'json' : 'human'));
  if (!follow) {
    const found = await readLog(path, filter);
    for (const line of found) show(line);
    if (found.length > 0) return exitCodes.ok;
    if ((await readLog(path, { last: 1 })).length > 0) {
      terminal.note(job === undefined ? 'no line matches' : `no line of a job whose id begins with ${job} matches`);
      return job === undefined ? exitCodes.ok : exitCodes.failed;
    }
    terminal.note(`casare-robot: there is no log in ${path} yet`);
    return exitCodes.failed;
  }
  await untilInterrupted(async (signal) => {
    const onGap = (): void => terminal.note('... lines are missing: their files were removed before they were read');
    let shown: string | null = null;
    for await (const line of followLog(path, { ...filter, signal, onGap })) {
      const id = String(line.fields.job_id);
      shown ??= id;
      // It came up only now: before, the beginning of the id was enough.
      if (job !== undefined && id !== shown) throw severalJobs(job, [shown, id]);
      show(line);
    }
  });
  return exitCodes.ok;
}

/**
 * The jobs that the log has lines of and that are meant: one that has just this id, or at most one.
 *
 * @throws CliError when there are several: lines of several jobs are never shown as those of one
 */
async function jobsThatBegin(path: string, given: string): Promise<ReadonlySet<string>> {
  const lines = await readLog(path, { jobId: given });
  const found = new Set(lines.map(({ fields }) => String(fields.job_id)));
  if (found.size > 1 && !found.has(given)) throw severalJobs(given, [...found]);
  return found;
}
