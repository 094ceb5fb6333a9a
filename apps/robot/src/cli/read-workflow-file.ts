/** Reads what the command line names: workflow files and `--var name=json` values. */
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import {
  bundleWorkflow,
  checkWorkflow,
  type Finding,
  type JsonObject,
  type JsonValue,
  type NodeRegistry,
  type SubworkflowFile,
  type WorkflowBundle,
} from '@casare/execution';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { whyUnreadable } from './why-unreadable.ts';

/**
 * A workflow file with all that its nodes call, which is looked for beside it: a job must be runnable where these
 * files are not.
 */
export async function readWorkflowFile(path: string): Promise<WorkflowBundle> {
  const folder = dirname(resolve(path));
  return bundleWorkflow(await readText(path), (called) => readCalled(resolve(folder, called)));
}

/**
 * All that is wrong with a workflow, and with gathering what it calls.
 *
 * @param given the variables that it is to be run with. Default: none.
 */
export function allFindings(
  bundle: WorkflowBundle,
  registry: NodeRegistry,
  given: JsonObject = {},
): readonly Finding[] {
  const { findings } = checkWorkflow(bundle.text, registry, {}, given);
  if (bundle.findings.length === 0) return findings;
  // A bundle that is not whole carries none of the files, so the check misses also those that are there.
  return [...bundle.findings, ...findings.filter(({ code }) => code !== 'UNKNOWN_SUBWORKFLOW')];
}

/** Larger files are no workflows; reading them would only fill the memory. */
const MAX_CALLED_BYTES = 16 * 1024 * 1024;

async function readCalled(path: string): Promise<SubworkflowFile> {
  try {
    const facts = await stat(path);
    if (!facts.isFile()) return { kind: 'unreadable', reason: 'is no regular file' };
    if (facts.size > MAX_CALLED_BYTES) return { kind: 'unreadable', reason: 'is too large for a workflow' };
    return { kind: 'text', text: await readFile(path, 'utf8') };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
    return { kind: 'unreadable', reason: `cannot be read: ${code}` };
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const why = whyUnreadable(error, (error as NodeJS.ErrnoException).code ?? 'unknown error');
    throw new CliError(exitCodes.usage, `cannot read the workflow file ${path}: ${why}`);
  }
}

/** Names of variables that the workflow's text never mentions: likely misspelt. */
export function unmentioned(variables: JsonObject, workflowJson: string): string[] {
  const isMentioned = (name: string): boolean => {
    const literally = name.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    return new RegExp(`(?<![\\p{L}\\p{N}_])${literally}(?![\\p{L}\\p{N}_])`, 'u').test(workflowJson);
  };
  return Object.keys(variables).filter((name) => !isMentioned(name));
}

/**
 * `name=json` pairs as variables. Text that is not JSON is refused, with the quoting that a shell needs,
 * because `--var count=5` and `--var count="5"` mean different things.
 */
export function parseVariables(pairs: readonly string[]): JsonObject {
  const variables: Record<string, JsonValue> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) throw new CliError(exitCodes.usage, `--var takes name=json, but got ${JSON.stringify(pair)}`);
    const name = pair.slice(0, at);
    if (Object.hasOwn(variables, name)) throw new CliError(exitCodes.usage, `--var ${name} is given more than once`);
    if (name === '__proto__') throw new CliError(exitCodes.usage, '--var: a variable cannot be named __proto__');
    const text = pair.slice(at + 1);
    try {
      variables[name] = JSON.parse(text) as JsonValue;
    } catch {
      throw new CliError(
        exitCodes.usage,
        `--var ${name}: the value is not JSON: ${text} (text needs quotes of its own: --var '${name}="${text.replaceAll('"', '\\"')}"')`,
      );
    }
  }
  return variables;
}
