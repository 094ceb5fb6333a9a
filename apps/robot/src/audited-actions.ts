/** What people ask of a robot, as its audit log records it: who, from where, what, and what came of it. */
import { AuditEventType, type AuditLogger } from '@casare/observability';
import type { OutboxChange } from './control/outbox-control.ts';
import type { PauseChange } from './intake-pause.ts';
import { actorOf, type Requester } from './requester.ts';
import type { StopOptions } from './robot-agent.ts';

/** Records that the robot was paused or resumed, by whom, from where and why. */
export function recordPause(audit: AuditLogger | null, change: PauseChange): void {
  const who = actorOf(change.requester);
  if (change.kind === 'resumed') {
    audit?.robotResumed({ reason: change.note, ...who });
    return;
  }
  const { note, until } = change.pause;
  audit?.robotPaused({ reason: note, until: until === null ? null : new Date(until).toISOString(), ...who });
}

/** Records that the robot was asked to stop: also each time that it is asked for more than before. */
export function recordStopRequest(audit: AuditLogger | null, options: StopOptions): void {
  const { mode = 'drain', reason = null } = options;
  audit?.robotStopRequested({ mode, reason, ...actorOf(options) });
}

/** Records that the robot was told to end without stopping first: nothing else will tell of its end. */
export function recordExit(audit: AuditLogger | null, requester: Requester): void {
  audit?.robotStopRequested({
    mode: 'exit at once',
    reason: 'unfinished jobs resume at the next start',
    ...actorOf(requester),
  });
}

/** Records what was done about entries that the database had refused, with what was left of each. */
export function recordOutboxChange(audit: AuditLogger | null, change: OutboxChange): void {
  const { kind, requester, count, entries, unknown, problem } = change;
  const { actor, ...from } = actorOf(requester);
  const type = kind === 'requeued' ? AuditEventType.OUTBOX_REQUEUED : AuditEventType.OUTBOX_DISCARDED;
  const done = kind === 'requeued' ? 'put back to be sent again' : 'removed for good';
  const message = problem === null ? `${count} refused outbox entries ${done}` : `Refused outbox entries not ${done}`;
  audit?.log(type, message, {
    ...(actor === undefined ? {} : { actor }),
    outcome: problem === null && count > 0 ? 'success' : 'failure',
    details: { count, entries, unknown, ...(problem === null ? {} : { problem }), ...from },
  });
}
