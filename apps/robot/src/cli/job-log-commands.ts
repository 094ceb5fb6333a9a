/** `casare-robot job logs`: what a job logged, as the database has it. */
import { type JobGateway, type JobLogPage, type JobLogPosition, type LogLevel, systemClock } from '@casare/execution';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { findJobId } from './find-job.ts';
import { untilInterrupted } from './interruption.ts';
import { type ConnectionFlags, withGateway } from './job-commands.ts';
import { JobLogView } from './job-log-view.ts';
import type { Terminal } from './terminal.ts';

export interface JobLogsFlags extends ConnectionFlags {
  readonly follow?: boolean;
  readonly level?: LogLevel;
}

const pollIntervalMs = 1_000;
/** The last lines of a job come a little after its end. */
const lastPolls = 3;

export async function jobLogsCommand(id: string, flags: JobLogsFlags, terminal: Terminal): Promise<number> {
  await withGateway(flags, async (gateway) => {
    const jobId = await findJobId(gateway, id);
    const view = new JobLogView({ json: flags.json, ...(flags.level === undefined ? {} : { level: flags.level }) });
    const show = (page: JobLogPage): void => {
      for (const line of view.take(page)) terminal.print(line);
    };
    if (flags.follow !== true) {
      await readAll(gateway, jobId, id, view, show);
      for (const line of view.end()) terminal.print(line);
      return;
    }
    await untilInterrupted(async (signal) => {
      for (let left = lastPolls; left > 0 && !signal.aborted; ) {
        await readAll(gateway, jobId, id, view, show);
        const status = (await gateway.getJob(jobId))?.status;
        if (status !== 'pending' && status !== 'running') left -= 1;
        if (left > 0) await systemClock.sleep(pollIntervalMs, signal).catch(() => undefined);
      }
      for (const line of view.end()) terminal.print(line);
    });
  });
  return exitCodes.ok;
}

async function readAll(
  gateway: JobGateway,
  jobId: string,
  id: string,
  view: { readonly position: JobLogPosition },
  show: (page: JobLogPage) => void,
): Promise<void> {
  for (;;) {
    const page = await gateway.getJobLogs(jobId, view.position);
    if (page === null) throw new CliError(exitCodes.failed, `there is no job ${id}`);
    show(page);
    if (!page.hasMore) return;
  }
}
