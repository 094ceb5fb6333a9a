/** Puts the status port together from a robot and its parts. */
import { join } from 'node:path';
import type { JsonObject } from '@casare/execution';
import type { RobotParts } from '../compose.ts';
import { statusReport } from '../control/status-report.ts';
import type { RobotAgent } from '../robot-agent.ts';
import { failurePictures } from './failure-pictures.ts';
import { pageDetails } from './page-details.ts';
import { robotActions } from './robot-actions.ts';
import { robotMetricsText } from './robot-families.ts';
import { StatusServer } from './status-server.ts';
import { loadStatusToken, tokenFileName } from './status-token.ts';

/** @returns null when the configuration wants none */
export async function openStatusPage(agent: RobotAgent, parts: RobotParts): Promise<StatusServer | null> {
  const { config, clock, logger, metrics, audit, redactor } = parts;
  const { statusPort, statusHost, statusToken } = config.observability;
  const { home } = config.robot;
  if (statusPort === null) return null;
  const token = await loadStatusToken(home, statusToken);
  redactor.addValue(token);
  const pictures = failurePictures(home);
  return StatusServer.open({
    home,
    host: statusHost,
    port: statusPort,
    token,
    tokenFile: statusToken === null ? join(home, tokenFileName) : null,
    clock,
    logger,
    source: {
      health: () => agent.getStatus().health,
      metricsText: async () => redactor.text(robotMetricsText(agent.getStatus(), parts)),
      status: async () => redactor.json(pageStatus(statusReport(await agent.describe()), clock.now())) as JsonObject,
      details: async () =>
        redactor.json(await pageDetails({ metrics, audit, hasScreenshot: pictures.has })) as JsonObject,
      screenshot: pictures.read,
      actions: robotActions(agent),
    },
  });
}

/** The report with the robot's state in the place of its process's. */
function pageStatus(report: JsonObject, nowMs: number): JsonObject {
  const { state: lifecycle = null, health, ...rest } = report;
  const { state = null, ...more } = (health ?? {}) as JsonObject;
  return { at: new Date(nowMs).toISOString(), state, ...more, lifecycle, ...rest };
}
