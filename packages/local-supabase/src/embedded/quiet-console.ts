/**
 * The embedded library writes every refused statement, with its parameters, to the console. In its thread that becomes
 * one line without them (I8): parameters are what jobs are made of.
 */
import type { Log } from '../ports.ts';

const methods = ['debug', 'log', 'info', 'warn', 'error'] as const;

/** Replaces the console of the thread it is called in. */
export function quietConsole(log: Log, target: Pick<Console, (typeof methods)[number]> = globalThis.console): void {
  for (const method of methods) target[method] = (first: unknown) => log('debug', headline(first));
}

function headline(value: unknown): string {
  if (!(value instanceof Error)) return String(value).slice(0, 200);
  const { code } = value as { code?: unknown };
  return typeof code === 'string' ? `a request failed in the database with SQLSTATE ${code}` : value.message;
}
