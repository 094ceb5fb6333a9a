/** `casare-robot validate FILE`, and `casare-robot validate --schema`. */
import { loadConfig } from '@casare/config';
import { type Finding, workflowJsonSchema } from '@casare/execution';
import { createNodeLibrary } from '../compose-nodes.ts';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { allFindings, readWorkflowFile } from './read-workflow-file.ts';
import type { Terminal } from './terminal.ts';

export interface ValidateOptions {
  readonly strict: boolean;
  readonly json: boolean;
  readonly schema: boolean;
}

export async function validateCommand(
  file: string | undefined,
  options: ValidateOptions,
  terminal: Terminal,
): Promise<number> {
  const { registry } = await createNodeLibrary(loadConfig().config);
  if (options.schema) {
    terminal.print(JSON.stringify(workflowJsonSchema(registry), null, 2));
    return exitCodes.ok;
  }
  if (file === undefined) throw new CliError(exitCodes.usage, 'name a workflow file, or --schema');
  const findings = allFindings(await readWorkflowFile(file), registry);
  const errors = findings.filter((finding) => finding.severity === 'error' || options.strict);
  const valid = errors.length === 0;
  if (options.json) {
    terminal.print(JSON.stringify({ file, valid, findings }));
  } else {
    for (const finding of findings) terminal.print(describeFinding(finding));
    const warnings = findings.filter((finding) => finding.severity === 'warning').length;
    terminal.print(
      valid
        ? `${file}: valid${warnings > 0 ? `, ${warnings} warning(s)` : ''}`
        : `${file}: not valid, ${errors.length} error(s)`,
    );
  }
  return valid ? exitCodes.ok : exitCodes.invalidWorkflow;
}

/** A finding as one line; its message names the place. */
export function describeFinding(finding: Finding): string {
  const { severity, message, suggestion, code } = finding;
  const remedy = suggestion === null || message.includes(suggestion) ? '' : ` (${suggestion})`;
  return `${severity}: ${message}${remedy} [${code}]`;
}
