/** `casare-robot outbox list|requeue|discard`: what a robot could not deliver, asked through its control socket. */
import type { JsonObject, JsonValue } from '@casare/execution';
import { account } from './account.ts';
import { CliError } from './cli-error.ts';
import { askControl, type ControlFlags } from './control-commands.ts';
import { exitCodes } from './exit-codes.ts';
import { tableLines } from './table.ts';
import type { Terminal } from './terminal.ts';
import { timeText } from './time-text.ts';

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
  const requeued = Number(answer.requeued);
  const unknown = unknownIn(answer);
  const stay = ids.length === 0 ? 0 : new Set(ids).size - unknown.length - requeued;
  if (flags.json) terminal.print(JSON.stringify(answer));
  else {
    if (requeued > 0 || (stay === 0 && unknown.length === 0)) {
      terminal.print(requeuedText(requeued));
    }
    if (stay > 0)
      terminal.note(`${stay} stay: what is damaged, or whose job has been cleaned away, cannot be sent again`);
    noteUnknown(unknown, terminal);
  }
  return enough(requeued, ids);
}

export async function discardOutbox(
  ids: readonly number[],
  flags: ControlFlags & { readonly all: boolean },
  terminal: Terminal,
): Promise<number> {
  const answer = (await askControl(flags, 'outbox_discard', chosen(ids, flags.all))) as JsonObject;
  const discarded = Number(answer.discarded);
  const unknown = unknownIn(answer);
  if (flags.json) terminal.print(JSON.stringify(answer));
  else {
    if (discarded > 0 || unknown.length === 0) terminal.print(`${discarded} removed for good`);
    noteUnknown(unknown, terminal);
  }
  return enough(discarded, ids);
}

function requeuedText(count: number): string {
  if (count === 0) return 'nothing can be put back; `outbox list --superseded` shows what there is';
  return `${count} put back; ${count === 1 ? 'it is' : 'they are'} sent again now`;
}

function unknownIn({ unknown }: JsonObject): readonly JsonValue[] {
  return Array.isArray(unknown) ? unknown : [];
}

function noteUnknown(unknown: readonly JsonValue[], terminal: Terminal): void {
  if (unknown.length === 0) return;
  terminal.note(`there is no dead letter ${unknown.join(', ')}; \`outbox list --superseded\` shows what there is`);
}

function chosen(ids: readonly number[], all: boolean): JsonObject {
  if (all === ids.length > 0) {
    throw new CliError(exitCodes.usage, 'name entries by their number, or say --all; `outbox list` shows them');
  }
  return { requested_by: account(), ...(all ? { all } : { ids: [...ids] }) };
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
    [id, job_id, kind, disposition, timeText(dead_at), reason].map((value) =>
      String(value).replaceAll(/[\r\n]+/g, ' '),
    ),
  );
  return tableLines(columns, rows);
}
