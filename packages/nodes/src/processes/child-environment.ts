/**
 * The environment of programs that nodes start: the robot's own without its secrets, the job's mark, and what the job's
 * EnvironmentVariableNodes have set. Those are kept in the variable `_environment`, so that a resumed job has them, too.
 */
import type { JsonValue, NodeContext } from '../ports.ts';
import { isObject } from '../values/kind-of.ts';

export const ENVIRONMENT_VARIABLE = '_environment';

/** The robot's own settings and secrets, and what would change the runtime of a child in secret. */
const PRIVATE = /^(CASARE_|SUPABASE_|NODE_OPTIONS$|NODE_CHANNEL_FD$|NODE_V8_COVERAGE$|VITEST)/i;

/** Names that decide which code a program runs: set by a workflow, they would get around the list of programs. */
const LOADING =
  /^(PATH|PATHEXT|LD_.*|DYLD_.*|NODE_OPTIONS|NODE_PATH|PYTHON.*|PERL5.*|RUBY.*|BASH_ENV|ENV|IFS|SHELLOPTS|GIT_.*|CASARE_.*|COMSPEC)$/i;

export function isPrivateVariable(name: string): boolean {
  return PRIVATE.test(name);
}

export function isLoadingVariable(name: string): boolean {
  return LOADING.test(name);
}

/** By these a robot finds what a job has started, to end it with the job. */
const MARKS = ['CASARE_JOB_PROCESS', 'CASARE_JOB_ID'];

export function inheritedEnvironment(): Record<string, string> {
  // biome-ignore lint/style/noProcessEnv: programs expect the environment of their session
  const own = Object.entries(process.env).filter(([name, value]) => value !== undefined && !isPrivateVariable(name));
  return Object.fromEntries(own) as Record<string, string>;
}

/** What the job's own nodes have set. */
export function jobEnvironment(ctx: Pick<NodeContext, 'variables'>): Record<string, string> {
  const stored: JsonValue = ctx.variables.get(ENVIRONMENT_VARIABLE) ?? null;
  if (!isObject(stored)) return {};
  return Object.fromEntries(
    Object.entries(stored).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

export function childEnvironment(ctx: Pick<NodeContext, 'variables' | 'jobId' | 'access'>): Record<string, string> {
  const set = Object.entries(jobEnvironment(ctx)).filter(
    ([name]) => !isPrivateVariable(name) && (ctx.access.areCommandsOpen || !isLoadingVariable(name)),
  );
  return { ...inheritedEnvironment(), ...Object.fromEntries(set), ...marks(), CASARE_JOB_ID: ctx.jobId };
}

function marks(): Record<string, string> {
  const { env } = process;
  return Object.fromEntries(MARKS.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
