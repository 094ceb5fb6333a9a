/**
 * `casare-robot start`: the daemon, with its three stages of stopping (I9). The first signal drains, the second cancels
 * with grace; the third ends the process at once, with the exit code 130.
 */
import { type Flags, loadConfig, requireConnection } from '@casare/config';
import { systemClock } from '@casare/execution';
import { prepareHome } from '../home-folder.ts';
import { RobotAgent } from '../robot-agent.ts';
import { notifyService } from '../service-manager/notify-service.ts';
import { asAlreadyRunning, refuseSecondRobot } from './already-running.ts';
import { exitCodes } from './exit-codes.ts';
import { killAfter } from './kill-after.ts';
import { LocalDatabase } from './local-database.ts';
import { useEndpoint } from './local-endpoint.ts';
import { allow, type PermissionFlags } from './permission-flags.ts';
import type { Terminal } from './terminal.ts';

/** How long the last word in the audit log may take. */
const exitPatienceMs = 2_000;

export interface StartOptions extends PermissionFlags {
  readonly local: boolean;
  readonly config?: string;
}

export async function startCommand(options: StartOptions, terminal: Terminal): Promise<number> {
  const flags: Flags = {};
  const loaded = loadConfig({ flags, ...(options.config === undefined ? {} : { file: options.config }) });
  for (const warning of loaded.warnings) terminal.note(`casare-robot: ${warning}`);
  const { config } = loaded;
  allow(config, options);
  const { home } = config.robot;
  await prepareHome(home);
  await refuseSecondRobot(home);
  const local = options.local ? await LocalDatabase.start(process.argv[1] ?? '', home, terminal) : null;
  try {
    if (local !== null) {
      const { endpoint } = local;
      useEndpoint(config.connection, endpoint);
      terminal.print(`SUPABASE_URL=${endpoint.url}`);
      terminal.print(`SUPABASE_KEY=${endpoint.key}`);
    }
    requireConnection(config);
    const agent = new RobotAgent(config);
    local?.keepUp(() => agent.logger);
    const signals = stopOnSignals(agent, terminal);
    const service = notifyService({
      environment: process.env,
      isAlive: () => agent.getStatus().health.isAlive,
      state: () => agent.getStatus().health.state,
      clock: systemClock,
      logger: { log: (_level, message) => terminal.note(`casare-robot: ${message}`) },
    });
    try {
      await agent.start().catch((error: unknown): never => {
        throw asAlreadyRunning(error, home);
      });
      if (agent.state !== 'stopped') {
        terminal.print(`robot ${agent.name} (${agent.robotId}) started`);
        if ((await agent.describe()).incidents.length > 0)
          terminal.note('casare-robot: its local store has lost something: `casare-robot status` shows the incidents');
        if (agent.statusPage !== null) terminal.print(`status page ${agent.statusPage}`);
        await service?.ready();
      }
      await agent.stopping;
      await service?.stopping();
      await agent.stopped;
      if (agent.twin !== null) throw agent.twin;
    } finally {
      signals.dispose();
    }
    return exitCodes.ok;
  } finally {
    await local?.stop();
  }
}

function stopOnSignals(agent: RobotAgent, terminal: Terminal): { dispose(): void } {
  let asked = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    asked += 1;
    if (asked === 1) {
      terminal.note('stopping: running jobs are finished first (again: cancel them)');
      void agent.stop({ requestedBy: signal });
    } else if (asked === 2) {
      terminal.note(
        'stopping: running jobs are cancelled (again: exit at once; unfinished jobs resume at the next start)',
      );
      void agent.stop({ mode: 'cancel', reason: 'the robot was told twice to stop', requestedBy: signal });
    } else {
      // A disk that hangs holds this thread: then only a kill from another one is at once.
      killAfter(exitPatienceMs);
      terminal.note('stopping at once: unfinished jobs resume at the next start');
      agent.recordExit({ requestedBy: signal });
      process.exit(exitCodes.cancelled);
    }
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    dispose: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
