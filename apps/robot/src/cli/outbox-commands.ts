/** `casare-robot outbox list|requeue|discard`: what a robot could not deliver, asked through its control socket. */
import type { JsonObject } from '@casare/execution';
import { CliError } from './cli-error.ts';
import { askControl, type ControlFlags } from './control-commands.ts';
import { exitCodes } from './exit-codes.ts';
import { tableLines } from './table.ts';
import type { Terminal } from './terminal.ts';

export async function listOutbox(
  flags: ControlFlags & { readonly superseded: boolean },
  terminal: Terminal,
): Promise<number> {
  const entries = (await askControl(flags, 'outbox_list', { superseded: flags.superseded })) as readonly JsonObject[];
  if (flags.json) terminal.print(JSON.stringify(entries));
  else for (const line of outboxTable(entries)) terminal.print(line);
  return exitCodes.ok;
}

export async function requeueOutbox(
  ids: readonly number[],
  flags: ControlFlags & { readonly all: boolean },
  terminal: Terminal,
): Promise<number> {
  const answer = (await askControl(flags, 'outbox_requeue', chosen(ids, flags.all))) as JsonObject;
  terminal.print(flags.json ? JSON.stringify(answer) : `${String(answer.requeued)} put back; they are sent again now`);
  return enough(Number(answer.requeued), ids);
}

export async function discardOutbox(
  ids: readonly number[],
  flags: ControlFlags & { readonly all: boolean },
  terminal: Terminal,
): Promise<number> {
  const answer = (await askControl(flags, 'outbox_discard', chosen(ids, flags.all))) as JsonObject;
  terminal.print(flags.json ? JSON.stringify(answer) : `${String(answer.discarded)} removed for good`);
  return enough(Number(answer.discarded), ids);
}

function chosen(ids: readonly number[], all: boolean): JsonObject {
  if (all === ids.length > 0) {
    throw new CliError(exitCodes.usage, 'name entries by their number, or say --all; `outbox list` shows them');
  }
  return all ? { all } : { ids: [...ids] };
}

function enough(count: number, ids: readonly number[]): number {
  return count < new Set(ids).size ? exitCodes.failed : exitCodes.ok;
}

function outboxTable(entries: readonly JsonObject[]): string[] {
  if (entries.length === 0) return ['no dead letters'];
  const columns = [
    { title: 'NO', align: 'right' as const },
    { title: 'JOB' },
    { title: 'KIND' },
    { title: 'STATE' },
    { title: 'SINCE' },
    { title: 'REASON' },
  ];
  const rows = entries.map(({ id, job_id, kind, disposition, dead_at, reason }) =>
    [id, job_id, kind, disposition, dead_at, reason].map((value) => String(value).replaceAll(/[\r\n]+/g, ' ')),
  );
  return tableLines(columns, rows);
}
