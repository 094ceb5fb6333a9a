/** `casare-robot job submit|list|show|cancel`: what an operator asks the database for. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LoadedConfig, loadConfig } from '@casare/config';
import type { JobGateway, JsonObject } from '@casare/execution';
import { createNodeLibrary } from '../compose-nodes.ts';
import { robotRedactor } from '../robot-redactor.ts';
import { configuredSecrets } from '../secrets/configured-secrets.ts';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { findJobId } from './find-job.ts';
import { cancelText } from './job-doubt-view.ts';
import { jobSheet, jobTable, waitsForAnswer } from './job-view.ts';
import { endpointFile, parseEndpoint, useEndpoint } from './local-endpoint.ts';
import { connectOperator, type OperatorConnection } from './operator-connection.ts';
import { allFindings, parseVariables, readWorkflowFile, unmentioned } from './read-workflow-file.ts';
import type { Terminal } from './terminal.ts';
import { withIsoTimes } from './time-text.ts';
import { describeFinding } from './validate-command.ts';

export interface ConnectionFlags {
  readonly config?: string;
  readonly local: boolean;
  readonly json: boolean;
}

export interface SubmitOptions extends ConnectionFlags {
  readonly var: readonly string[];
  readonly priority: number;
  readonly onLost: 'hold' | 'restart';
  readonly maxAttempts: number;
}

export async function submitJob(file: string, options: SubmitOptions, terminal: Terminal): Promise<number> {
  const bundle = await readWorkflowFile(file);
  const { text: workflow } = bundle;
  const variables = parseVariables(options.var);
  const { registry } = await createNodeLibrary(configOf(options).config);
  const findings = allFindings(bundle, registry, variables);
  const errors = findings.filter((finding) => finding.severity === 'error');
  if (errors.length > 0) {
    for (const finding of errors) terminal.note(describeFinding(finding));
    throw new CliError(exitCodes.invalidWorkflow, `${file} is not valid; it was not submitted`);
  }
  for (const finding of findings) terminal.note(describeFinding(finding));
  for (const name of unmentioned(variables, workflow)) {
    terminal.note(`warning: the workflow mentions no variable "${name}"`);
  }
  const { priority, onLost, maxAttempts } = options;
  const jobId = await withGateway(options, (gateway) =>
    gateway.enqueueJob({ workflow, variables, priority, onLost, maxAttempts }),
  );
  terminal.print(options.json ? JSON.stringify({ job_id: jobId }) : jobId);
  return exitCodes.ok;
}

export async function listJobs(
  options: ConnectionFlags & { readonly status?: string; readonly limit: number },
  terminal: Terminal,
): Promise<number> {
  const { status, limit } = options;
  const { jobs, isCut } = await withOperator(options, async ({ gateway, withRobots }) => {
    const found = status === 'waiting' ? await waitingJobs(gateway) : await firstJobs(gateway, status, limit);
    return { jobs: await withRobots(found.slice(0, limit)), isCut: found.length > limit };
  });
  if (isCut) terminal.note(`the newest ${limit} of these; --limit N for more`);
  if (options.json) terminal.print(JSON.stringify(jobs.map(withIsoTimes)));
  else for (const line of jobTable(jobs)) terminal.print(line);
  return exitCodes.ok;
}

/** As many as the database hands out at once. */
const maxListed = 1_000;

/** One more than `limit`, if there are more. */
function firstJobs(gateway: JobGateway, status: string | undefined, limit: number): Promise<readonly JsonObject[]> {
  const asked = limit < maxListed ? limit + 1 : limit;
  return gateway.listJobs(status === undefined ? { limit: asked } : { status, limit: asked });
}

/** Those of the newest running jobs that wait for an answer. */
async function waitingJobs(gateway: JobGateway): Promise<readonly JsonObject[]> {
  return (await gateway.listJobs({ status: 'running', limit: maxListed })).filter(waitsForAnswer);
}

export async function showJob(id: string, options: ConnectionFlags, terminal: Terminal): Promise<number> {
  const [job] = await withOperator(options, async ({ gateway, withRobots, withPlaces }) => {
    const found = await gateway.getJob(await findJobId(gateway, id));
    return found === null ? [] : withRobots([await withPlaces(found)]);
  });
  if (job === undefined) throw new CliError(exitCodes.failed, `there is no job ${id}`);
  if (options.json) terminal.print(JSON.stringify(withIsoTimes(job)));
  else for (const line of jobSheet(job, options)) terminal.print(line);
  return exitCodes.ok;
}

export async function cancelJob(
  id: string,
  options: ConnectionFlags & { readonly reason?: string },
  terminal: Terminal,
): Promise<number> {
  const { jobId, answer, isLost } = await withOperator(options, async ({ gateway }, config) => {
    const found = await findJobId(gateway, id);
    const reason = options.reason === undefined ? null : await withoutSecrets(config, options.reason);
    const given = await gateway.cancelJob(found, reason);
    const job = given === 'requested' ? await gateway.getJob(found) : null;
    return { jobId: found, answer: given, isLost: job?.lost === true };
  });
  if (answer === 'unknown') throw new CliError(exitCodes.failed, `there is no job ${id}`);
  const meaning = cancelText(jobId, answer, isLost, options);
  terminal.print(options.json ? JSON.stringify({ job_id: jobId, answer }) : `${jobId}: ${meaning}`);
  return answer === 'final' ? exitCodes.failed : exitCodes.ok;
}

/** @throws CliError when the server cannot be reached, or refuses an id */
export function withGateway<T>(flags: ConnectionFlags, use: (gateway: JobGateway) => Promise<T>): Promise<T> {
  return withOperator(flags, ({ gateway }) => use(gateway));
}

/** As `withGateway`, for more than jobs. */
export async function withOperator<T>(
  flags: Omit<ConnectionFlags, 'json'>,
  use: (operator: OperatorConnection, config: LoadedConfig['config']) => Promise<T>,
): Promise<T> {
  const loaded = configOf(flags);
  if (flags.local) await useLocalEndpoint(loaded);
  const operator = await connectOperator(loaded.config, { isEmbedded: flags.local });
  try {
    return await use(operator, loaded.config);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === 'INVALID_ID' || code === 'INVALID_TEXT' || code === 'TOO_DEEP') {
      throw new CliError(exitCodes.usage, (error as Error).message);
    }
    throw error;
  } finally {
    await operator.close();
  }
}

/** What a person writes, without the secrets that this machine knows: it is kept in the database. */
async function withoutSecrets(config: LoadedConfig['config'], text: string): Promise<string> {
  const redactor = robotRedactor(config);
  await configuredSecrets(config, redactor);
  return redactor.text(text);
}

function configOf(flags: Pick<ConnectionFlags, 'config'>): LoadedConfig {
  return loadConfig(flags.config === undefined ? {} : { file: flags.config });
}

async function useLocalEndpoint(loaded: LoadedConfig): Promise<void> {
  const file = endpointFile(join(loaded.config.robot.home, 'local-supabase'));
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    throw new CliError(
      exitCodes.unavailable,
      'no embedded Supabase runs on this machine; start one with `casare-robot start --local` or `casare-robot local`; one that was just started needs a few seconds',
    );
  }
  useEndpoint(loaded.config.connection, parseEndpoint(text));
}
