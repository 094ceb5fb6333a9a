/** What a manager must be handed, checked before there is a timer or a socket. */
import {
  ArgumentError,
  requireFunction,
  requireFunctions,
  requireMethods,
  requireOptions,
  requireSignal,
} from '../argument-error.ts';
import { requireAtLeast } from '../require-at-least.ts';
import { retryConfig } from '../retry/retry-config.ts';
import type { ConnectionManagerOptions, ExecuteOptions } from './connection-manager.ts';

const optionNames: ReadonlySet<string> = new Set([
  ...[
    'url',
    'key',
    'auth',
    'config',
    'fleetSize',
    'retry',
    'breaker',
    'probe',
    'clock',
    'random',
    'logger',
    'headers',
    'fetch',
  ],
  ...['onConnected', 'onDisconnected', 'onAuthFailed', 'onStateChange'],
]);

/** @throws ArgumentError */
export function requireManagerOptions(options: ConnectionManagerOptions): void {
  requireOptions('options', options, optionNames);
  const { fleetSize, retry = {}, probe, clock, random, logger, headers = {}, fetch } = options;
  const { onConnected, onDisconnected, onAuthFailed, onStateChange } = options;
  requireFunctions({ fleetSize, probe, random, fetch, onConnected, onDisconnected, onAuthFailed, onStateChange });
  requireMethods('clock', clock, ['now', 'monotonic', 'sleep']);
  requireMethods('logger', logger, ['log']);
  retryConfig(retry);
  const areTexts =
    typeof headers === 'object' && Object.values(headers ?? {}).every((value) => typeof value === 'string');
  if (headers === null || !areTexts) throw new ArgumentError('headers', 'an object of texts', headers);
}

const callNames: ReadonlySet<string> = new Set([
  ...['signal', 'timeoutMs', 'idempotent', 'maxAttempts', 'acceptEmpty', 'whenDisconnected', 'whenLost'],
]);

/** @throws ArgumentError */
export function requireCall(operation: unknown, options: ExecuteOptions): void {
  requireFunction('operation', operation);
  requireOptions('options', options, callNames);
  const { signal, timeoutMs = 0, maxAttempts, idempotent, acceptEmpty } = options;
  const { whenDisconnected = 'wait', whenLost = 'wait' } = options;
  requireSignal(signal);
  requireAtLeast(0, { timeoutMs });
  if (maxAttempts !== undefined) retryConfig({ maxAttempts });
  for (const [name, value] of Object.entries({ idempotent, acceptEmpty })) {
    if (value !== undefined && typeof value !== 'boolean') throw new ArgumentError(name, 'true or false', value);
  }
  if (whenDisconnected !== 'wait' && whenDisconnected !== 'fail')
    throw new ArgumentError('whenDisconnected', 'wait or fail', whenDisconnected);
  if (whenLost !== 'wait' && whenLost !== 'give-up') throw new ArgumentError('whenLost', 'wait or give-up', whenLost);
}
