/** The parameters that many browser nodes share. Times are in milliseconds. */
import { anything, choice, filledText, flag, integer, type Param, text } from '../params/index.ts';
import type { JsonValue } from './ports.ts';

/** `retry_count` and `retry_interval` are acted on by the engine; named here so that they are known keys. */
export const retryParams: { readonly retry_count: Param<number>; readonly retry_interval: Param<number> } = {
  retry_count: integer({ fallback: 0, min: 0 }),
  retry_interval: integer({ fallback: 1_000, min: 0 }),
};

export const pageParams: {
  readonly page: Param<JsonValue>;
  readonly timeout: Param<number>;
  readonly retry_count: Param<number>;
  readonly retry_interval: Param<number>;
} = {
  page: anything(),
  timeout: integer({ fallback: 30_000, min: 0 }),
  ...retryParams,
};

export const failureShotParams: {
  readonly screenshot_on_fail: Param<boolean>;
  readonly screenshot_path: Param<string>;
} = {
  screenshot_on_fail: flag(false),
  screenshot_path: text(''),
};

export const elementParams: typeof pageParams &
  typeof failureShotParams & { readonly selector: Param<string>; readonly anchor_config: Param<JsonValue> } = {
  ...pageParams,
  ...failureShotParams,
  selector: filledText(),
  anchor_config: anything(),
};

export type LoadState = 'load' | 'domcontentloaded' | 'networkidle' | 'commit';

export const waitUntil: Param<LoadState> = choice(['load', 'domcontentloaded', 'networkidle', 'commit'], 'load');

/** How long a picture of a failure may take, in ms. */
export const FAILURE_SHOT_LIMIT_MS = 5_000;

/** The limit that a node keeps itself, in ms, as the engine wants to know it; a `timeout` of 0 is none. */
export function ownLimitMs(params: {
  readonly timeout: number;
  readonly screenshot_on_fail?: boolean;
}): number | undefined {
  if (params.timeout === 0) return undefined;
  return params.timeout + (params.screenshot_on_fail === true ? FAILURE_SHOT_LIMIT_MS : 0);
}
