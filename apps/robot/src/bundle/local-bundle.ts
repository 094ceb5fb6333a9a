/** The failure bundle of a run without a database: its log lines are kept in memory, the last ones. */
import { type RunReport, systemClock } from '@casare/execution';
import type { LogRecord } from '@casare/observability';
import type { LocalRunContext } from '../local-run.ts';
import { bundleFolder } from './bundle-places.ts';
import { FailureBundles } from './failure-bundles.ts';

const keptLines = 500;

export interface LocalBundle {
  readonly onLog: LocalRunContext['onLog'];
  /** The bundle's folder when the run has failed and there is one. Never rejects. */
  finish(report: RunReport): Promise<string | null>;
}

export function localBundle(
  run: { readonly jobId: string; readonly name: string },
  context: LocalRunContext,
): LocalBundle {
  const { config, library, onLog } = context;
  const lines: LogRecord[] = [];
  const bundles = new FailureBundles({
    config,
    robot: null,
    library: library.name,
    redactor: library.redactor,
    logOf: async () => lines,
    logger: { log: (level, message) => onLog({ level, node_id: null, message }) },
    clock: systemClock,
  });
  return {
    onLog(line) {
      const { level, node_id, message } = line;
      const at = new Date(systemClock.now()).toISOString();
      lines.push({ at, level: level as LogRecord['level'], message, fields: { job_id: run.jobId, node_id } });
      if (lines.length > keptLines) lines.shift();
      onLog(line);
    },
    async finish({ end }) {
      if (end.status === 'suspended' || end.status === 'in_doubt') return null;
      const link = await bundles.finish({ ...run, leaseToken: null }, end);
      return link === null ? null : bundleFolder(config.robot.home, run.jobId);
    },
  };
}
