/** What a job process is told of the robot's configuration: what its node library needs, and no secret (I8). */
import type { ValidSettings } from '@casare/config';
import type { JsonObject } from '@casare/execution';
import type { NodeLibrarySettings } from './compose-nodes.ts';

export function jobProcessSetup(config: ValidSettings): JsonObject {
  const { robot, nodes, permissions, secrets, limits, browser, failureBundles } = config;
  const settings: NodeLibrarySettings = { robot, nodes, permissions, secrets, limits, browser, failureBundles };
  return JSON.parse(JSON.stringify(settings)) as JsonObject;
}
