/** Wake-ups over Supabase Realtime, alone: no supabase-js is needed for them. */
export { ArgumentError } from '../argument-error.ts';
export type { Clock, Logger, LogLevel, Random } from '../ports.ts';
export { systemClock } from '../system-clock.ts';
export { PollPacer, type PollPacerOptions } from './poll-pacer.ts';
export type { OpenPushSocket, PushSocket, PushSocketHandlers, PushSocketLimits } from './push-socket.ts';
export type { Broadcast } from './realtime-link.ts';
export { DEFAULT_WAKE_UP_CONFIG, type WakeUpConfig } from './wake-up-config.ts';
export {
  type WakeUp,
  type WakeUpState,
  type WakeUpStatus,
  WakeUps,
  type WakeUpsOptions,
  type WakeUpTopic,
} from './wake-ups.ts';
