/** Wake-ups over Supabase Realtime as the robot uses them: which topics, what each message means, how often to poll. */
import type { ValidSettings } from '@casare/config';
import { type ConnectionManager, PollPacer, type WakeUp, WakeUps } from '@casare/connection';
import type { Clock, Logger } from '@casare/execution';

/** The robot's part of `migrations/003_wake_ups.sql` and `009_first_answer.sql`. */
const topicOfAll = 'casare:robots';
const topicOf = (robotId: string): string => `casare:robot:${robotId}`;

/** Every robot hears of a job that any may take; they look within this time of each other. */
const spreadMs = 250;

export interface WakeUpEvents {
  /** There may be a job to claim. */
  readonly onJobs: () => void;
  /** A job of this robot's may have to stop, or has the answer that it waits for. */
  readonly onHeld: () => void;
}

export interface WakeUpPartsOptions extends WakeUpEvents {
  readonly config: ValidSettings;
  readonly connection: ConnectionManager;
  readonly robotId: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface WakeUpParts {
  /** Null when they are switched off. */
  readonly wakeUps: WakeUps | null;
  readonly pacer: PollPacer;
}

export function composeWakeUps(options: WakeUpPartsOptions): WakeUpParts {
  const { config, connection, robotId, clock, logger, onJobs, onHeld } = options;
  const { pollIntervalMs, relaxedPollIntervalMs: relaxedIntervalMs } = config.jobExecution;
  const { url, key, wakeUpsEnabled } = config.connection;
  const pacer = new PollPacer({ pollIntervalMs, relaxedIntervalMs, clock });
  if (!wakeUpsEnabled || url === null || key === null) return { wakeUps: null, pacer };
  const wakeUps = new WakeUps({
    url,
    key,
    token: (signal) => connection.accessToken(signal),
    topics: [{ name: topicOf(robotId) }, { name: topicOfAll, spreadMs }],
    requestEcho: (nonce, signal) =>
      connection.rpc<boolean>(
        'request_wake_up',
        { p_robot_id: robotId, p_nonce: nonce },
        { signal, maxAttempts: 1, whenDisconnected: 'fail' },
      ),
    onWakeUp: (wakeUp) => {
      if (mayBring(wakeUp, 'jobs')) onJobs();
      if (mayBring(wakeUp, 'cancel') || mayBring(wakeUp, 'answer')) onHeld();
    },
    onAlive: () => pacer.pushIsAlive(),
    onLost: () => {
      pacer.pushIsLost();
      onJobs();
    },
    clock,
    logger,
  });
  return { wakeUps, pacer };
}

/** While nobody listened, anything may have happened. */
function mayBring(wakeUp: WakeUp, event: 'jobs' | 'cancel' | 'answer'): boolean {
  return wakeUp.reason !== 'broadcast' || wakeUp.event === event;
}
