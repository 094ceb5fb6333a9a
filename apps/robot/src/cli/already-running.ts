/** What is told instead of a second start in the same place. */
import { type JsonObject, systemClock } from '@casare/execution';
import { StoreOwnedError } from '@casare/offline-store';
import { askRobot } from '../control/ask-robot.ts';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { timeText } from './time-text.ts';

/** A robot answers at once; one that does not is found out by what it holds. */
const answerLimitMs = 2_000;

/**
 * Asks, before anything is started, whether a robot runs in this home already.
 *
 * @throws CliError when one answers
 */
export async function refuseSecondRobot(home: string): Promise<void> {
  const status = (await askRobot(home, 'status', {}, answerLimitMs).catch(() => null)) as JsonObject | null;
  if (status === null) return;
  const since = new Date(systemClock.now() - Number(status.uptime_ms)).toISOString();
  throw alreadyRunning(home, { pid: Number(status.pid), since });
}

/** The error itself, unless it says that a robot holds the store of this home. */
export function asAlreadyRunning(error: unknown, home: string): unknown {
  return error instanceof StoreOwnedError ? alreadyRunning(home, error.holder) : error;
}

/** The error itself, unless it says that a process holds the store of this run. */
export function asStillRunning(error: unknown, runId: string): unknown {
  if (!(error instanceof StoreOwnedError)) return error;
  const message = `the run ${runId} is still running${processText(error.holder)}; --resume is for one that was interrupted`;
  return new CliError(exitCodes.busy, message);
}

interface Holder {
  readonly pid: number;
  /** ISO 8601 */
  readonly since: string;
  readonly host?: string;
}

function alreadyRunning(home: string, holder: Holder | null): CliError {
  return new CliError(
    exitCodes.busy,
    `a robot is already running in ${home}${processText(holder)}: \`casare-robot status\` shows it, \`casare-robot stop\` stops it; another robot needs a CASARE_HOME of its own`,
  );
}

function processText(holder: Holder | null): string {
  if (holder === null) return '';
  const { pid, since, host } = holder;
  return ` (process ${pid}${host === undefined ? '' : ` on ${host}`}, since ${timeText(since)})`;
}
