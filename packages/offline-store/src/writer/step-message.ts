/**
 * The most frequent command on its way to the writer's thread: a step of a known claim as one flat list, which costs
 * a third of what it costs to clone its objects. Both ends are this package, so nothing is checked.
 */
import type { NodeEnd } from '../journal/journal-entry.ts';
import type { RecordCommand, StoreCommand } from './commands.ts';

type Value = string | number;
export type StepMessage = readonly Value[];

type Head = [
  id: number,
  nowMs: number,
  runId: number,
  jobId: string,
  leaseToken: string,
  entries: string,
  entryCount: number,
  drafts: string,
  draftCount: number,
];
type EndValues = [index: number, nodeId: string, iteration: string];

const headLength = 9;
const endLength = 3;

/** Null when the command is more than a step: it is sent as it is. */
export function packStep(id: number, command: StoreCommand): StepMessage | null {
  if (command.op !== 'record' || !('runId' in command.run)) return null;
  const { run, write, nowMs } = command;
  const { entries, outbox, change, reserve } = write;
  if (change !== null || reserve || entries.secrets !== null || entries.saved || entries.wholeAt >= 0) return null;
  const head: Head = [
    id,
    nowMs,
    run.runId,
    run.jobId,
    run.leaseToken,
    entries.text,
    entries.count,
    outbox.text,
    outbox.count,
  ];
  const message: Value[] = head;
  for (const { index, nodeId, iteration } of entries.ends) message.push(index, nodeId, iteration);
  return message;
}

export function unpackStep(message: StepMessage): { readonly id: number; readonly command: RecordCommand } {
  const [id, nowMs, runId, jobId, leaseToken, text, count, drafts, draftCount] = message as Head;
  const ends: NodeEnd[] = [];
  for (let at = headLength; at < message.length; at += endLength) {
    const [index, nodeId, iteration] = message.slice(at, at + endLength) as EndValues;
    ends.push({ index, nodeId, iteration });
  }
  const entries = { text, count, ends, secrets: null, wholeAt: -1, saved: false };
  const write = { entries, outbox: { text: drafts, count: draftCount }, change: null, reserve: false };
  return { id, command: { op: 'record', run: { runId, jobId, leaseToken }, write, nowMs } };
}
