/** The robot's log: its standard error, its files, and what of it goes to the database with the jobs. */
import { join } from 'node:path';
import type { ValidSettings } from '@casare/config';
import type { Clock, JobGateway, Logger } from '@casare/execution';
import { createLogger, type LogRecord, type OperationalLogger, type Redactor } from '@casare/observability';
import { JobLogs, jobLogsFolder } from './job-logs.ts';

const megabyte = 1024 * 1024;

export interface RobotLogs {
  readonly logger: Logger;
  /** The home belongs to this process: the files are opened, with the lines that were logged before. */
  homeIsOurs(): void;
  /** Null when jobs' lines are not sent. To be called once. */
  jobLogs(parts: { readonly gateway: JobGateway; readonly clock: Clock }): JobLogs | null;
  /** Why lines do not reach the files; null while they do. */
  readonly problem: string | null;
  /** Calls `onProblem` with the problem there is, if any, and from then on when one comes and goes. */
  watch(onProblem: (problem: string | null) => void): void;
  close(): Promise<void>;
}

/** The one file's name; older ones are put aside as `robot.log.1` and so on. */
export function logPath({ observability }: ValidSettings): string {
  return join(observability.logDir, 'robot.log');
}

/** @param given a logger of an embedding program, which then has the lines; jobs' lines are still sent */
export function composeLogs(config: ValidSettings, redactor: Redactor, given: Logger | undefined): RobotLogs {
  const { logLevel, logFormat, logDir, logFileMb, logQuotaMb, jobLogsEnabled, jobLogQuotaMb } = config.observability;
  const owned = Promise.withResolvers<void>();
  let listener: JobLogs | null = null;
  let problem: string | null = null;
  let tellProblem: (problem: string | null) => void = () => undefined;
  const onFileProblem = (found: string | null): void => {
    problem = found;
    if (found !== null) logger.log('error', `${notWritten(logDir)}: ${found}`);
    else logger.log('warning', `the log is written to ${logDir} again; lines before this one are missing there`);
    tellProblem(found);
  };
  const onLine = (line: LogRecord): void => listener?.take(line);
  const common = { level: logLevel, redact: redactor, onLine };
  const own: OperationalLogger = createLogger(
    given === undefined
      ? {
          ...common,
          format: logFormat,
          onFileProblem,
          file: {
            path: logPath(config),
            maxBytes: logFileMb * megabyte,
            maxFiles: Math.max(1, Math.floor(logQuotaMb / logFileMb)),
            after: owned.promise,
          },
        }
      : { ...common, stream: null },
  );
  const logger: Logger =
    given === undefined
      ? own
      : {
          log: (level, message, fields) => {
            given.log(level, message, fields);
            own.log(level, message, fields);
          },
        };
  return {
    logger,
    homeIsOurs: () => owned.resolve(),
    get problem() {
      return problem;
    },
    watch(onProblem) {
      tellProblem = onProblem;
      if (problem !== null) onProblem(problem);
    },
    jobLogs({ gateway, clock }) {
      if (!jobLogsEnabled) return null;
      const total = jobLogQuotaMb * megabyte;
      listener = new JobLogs({
        folder: jobLogsFolder(logDir),
        gateway,
        limits: { total, perLease: Math.max(megabyte, total / 4) },
        isAboutLines: (error) => /^22/.test(String((error as { code?: unknown } | null)?.code)),
        logger,
        clock,
      });
      return listener;
    },
    async close() {
      listener?.close();
      listener = null;
      await own.close();
    },
  };
}

/** What is wrong while lines do not reach the files, in the words of an operator. */
export function notWritten(logDir: string): string {
  return `the log cannot be written to ${logDir}, only to the standard error of the robot, which goes on`;
}
