/**
 * A node package for tests that kill: nodes whose effect a counting server sees, and a job process that kills itself at
 * the points that `KILL_POINTS` arms.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dieIfDue } from '@casare/testing';
import { z } from 'zod';
import type { JournalEntry } from '../../../src/engine/journal.ts';
import { defineNode, type NodeType } from '../../../src/node-contract.ts';
import { RemoteJournal } from '../../../src/processes/child/remote-journal.ts';

const folder = process.env.KILL_POINTS;

function nodesOf(entries: readonly JournalEntry[], kind: 'intent' | 'result'): readonly string[] {
  return entries.flatMap((entry) => (entry.kind === kind && entry.node_id !== null ? [entry.node_id] : []));
}

if (folder !== undefined) {
  const { commit } = RemoteJournal.prototype;
  RemoteJournal.prototype.commit = async function (entries) {
    const begun = nodesOf(entries, 'intent');
    dieIfDue(folder, 'job-process', 'before-intent', begun);
    // Whoever kills from outside learns which process runs the node, and for whom.
    for (const nodeId of begun) writeFileSync(join(folder, `${nodeId}.pid`), `${process.pid} ${process.ppid}`);
    await commit.call(this, entries);
    dieIfDue(folder, 'job-process', 'after-result', nodesOf(entries, 'result'));
    dieIfDue(folder, 'job-process', 'after-intent', begun);
  };
}

const address = z.object({ url: z.string() });

async function ask(url: string, key: string, method: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { method, headers: { 'idempotency-key': key }, signal });
  return response.text();
}

export const nodes: readonly NodeType[] = [
  defineNode({
    type: 'KeyedPutNode',
    category: 'test',
    description: 'Puts something under the key of its step: a repetition changes nothing more.',
    params: address,
    outputs: [],
    effect: () => 'idempotent',
    run: async (ctx) => {
      await ask(ctx.params.url, ctx.idempotencyKey, 'PUT', ctx.signal);
      return {};
    },
  }),
  defineNode({
    type: 'ProbedPostNode',
    category: 'test',
    description: 'Posts something that can be looked for afterwards.',
    params: address,
    outputs: [],
    effect: () => 'effect',
    run: async (ctx) => {
      await ask(ctx.params.url, ctx.idempotencyKey, 'POST', ctx.signal);
      return {};
    },
    probe: async ({ params, idempotencyKey }, ctx) => {
      const seen = await ask(params.url, idempotencyKey, 'OPTIONS', ctx.signal);
      return seen === 'done' ? { state: 'done', result: {} } : { state: 'not-done' };
    },
  }),
];
