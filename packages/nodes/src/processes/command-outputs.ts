/** The outputs and parameters that nodes which start programs have in common. */
import { NodeError } from '../errors.ts';
import { flag, integer, number, type Param, text } from '../params/index.ts';
import type { JsonObject, NodeContext } from '../ports.ts';
import type { ProcessEnd } from './run-process.ts';

export const COMMAND_OUTPUTS = ['stdout', 'stderr', 'return_code', 'success'] as const;

/** Seconds; 0: as long as the robot lets a node run. */
export const timeoutParam: Param<number> = number({ fallback: 60, min: 0, max: 2_147_483 });

export const retryParams: {
  readonly retry_count: Param<number>;
  readonly retry_interval: Param<number>;
  readonly retry_on_nonzero: Param<boolean>;
} = {
  retry_count: integer({ fallback: 0, min: 0 }),
  retry_interval: integer({ fallback: 1_000, min: 0 }),
  retry_on_nonzero: flag(false),
};

export const workingDirParam: Param<string> = text('');

interface RetryWishes {
  readonly retry_count: number;
  readonly retry_on_nonzero: boolean;
}

export function outputsOf(ctx: Pick<NodeContext, 'log'>, end: ProcessEnd): JsonObject {
  if (end.droppedBytes > 0) {
    ctx.log.log('warning', `The program printed more than is kept: ${end.droppedBytes} bytes were dropped.`);
  }
  // As a shell says it: 128 and the number of the signal would need the platform's table, so -1 stands for any.
  const code = end.exitCode ?? -1;
  return { stdout: end.stdout, stderr: end.stderr, return_code: code, success: code === 0 };
}

/** A program that failed is run again while the node's own retries last; the last answer stands. */
export function retryOnNonzero(ctx: NodeContext<RetryWishes>, end: ProcessEnd): void {
  const { retry_count, retry_on_nonzero } = ctx.params;
  if (!retry_on_nonzero || end.exitCode === 0 || ctx.attempt > retry_count) return;
  throw new NodeError(`The program ended with the code ${end.exitCode ?? end.signal}`, {
    code: 'COMMAND_FAILED',
    category: 'transient',
    errorType: 'CalledProcessError',
  });
}

/** The node's working folder; the job's work folder by default. */
export function workingDir(ctx: Pick<NodeContext, 'resolvePath'>, wanted: string): string {
  return ctx.resolvePath(wanted.trim() === '' ? '.' : wanted);
}
