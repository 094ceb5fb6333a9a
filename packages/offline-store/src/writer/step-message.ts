/**
 * The most frequent command on its way to the writer's thread: a step of a known claim as one flat list, which costs
 * a third of what it costs to clone its objects. Both ends are this package, so nothing is checked.
 */
import type { EncodedDraft, EncodedEntry } from '../journal/journal-entry.ts';
import type { StoreCommand } from './commands.ts';

export type StepCommand = Extract<StoreCommand, { readonly op: 'record' }>;

type Value = string | number | boolean | null;
export type StepMessage = readonly Value[];

const headLength = 6;
const entryLength = 5;
const draftLength = 3;

/** Null when the command is more than a step: it is sent as it is. */
export function packStep(id: number, command: StoreCommand): StepMessage | null {
  if (command.op !== 'record' || !('runId' in command.run)) return null;
  const { run, write, nowMs } = command;
  if (write.change !== undefined || write.reserve === true) return null;
  const { entries = [], outbox = [] } = write;
  const message: Value[] = [id, nowMs, run.runId, run.jobId, run.leaseToken, entries.length];
  for (const { kind, nodeId, payload, secrets, iteration } of entries) {
    message.push(kind, nodeId, payload, secrets, iteration);
  }
  for (const { kind, payload, keep } of outbox) message.push(kind, payload, keep);
  return message;
}

export function unpackStep(message: StepMessage): { readonly id: number; readonly command: StepCommand } {
  const [id, nowMs, runId, jobId, leaseToken, count] = message as [number, number, number, string, string, number];
  const entries: EncodedEntry[] = [];
  const outbox: EncodedDraft[] = [];
  let at = headLength;
  for (; entries.length < count; at += entryLength) {
    const [kind, nodeId, payload, secrets, iteration] = message.slice(at, at + entryLength) as EntryValues;
    entries.push({ kind, nodeId, payload, secrets, iteration });
  }
  for (; at < message.length; at += draftLength) {
    const [kind, payload, keep] = message.slice(at, at + draftLength) as DraftValues;
    outbox.push({ kind, payload, keep });
  }
  return { id, command: { op: 'record', run: { runId, jobId, leaseToken }, write: { entries, outbox }, nowMs } };
}

type EntryValues = [string, string | null, string, string | null, string];
type DraftValues = [string, string, boolean];
