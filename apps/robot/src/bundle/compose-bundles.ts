/** The failure bundles of a robot: with the end of each job's log. */
import type { ValidSettings } from '@casare/config';
import type { Clock, Logger } from '@casare/execution';
import { type Redactor, readLog } from '@casare/observability';
import { logPath } from '../logs/compose-logs.ts';
import { FailureBundles } from './failure-bundles.ts';

const logLines = 500;

export interface BundleParts {
  readonly config: ValidSettings;
  readonly identity: { readonly robotId: string };
  readonly library: { readonly name: string };
  readonly redactor: Redactor;
  readonly logger: Logger;
  readonly clock: Clock;
}

export function composeBundles({ config, identity, library, redactor, logger, clock }: BundleParts): FailureBundles {
  return new FailureBundles({
    config,
    robot: { id: identity.robotId, name: config.robot.name },
    library: library.name,
    redactor,
    logOf: (jobId, since) => readLog(logPath(config), { jobId, isWholeId: true, since, last: logLines }),
    logger,
    clock,
  });
}
