import fc from 'fast-check';
import { expect, it } from 'vitest';
import { z } from 'zod';
import type { NamesCutOff } from '../../src/engine/cut-off.ts';
import type { DoubtAnswer, DoubtQuestion } from '../../src/engine/doubt.ts';
import type { IntentEntry, JournalEntry } from '../../src/engine/journal.ts';
import { OpenIntents } from '../../src/engine/open-intents.ts';
import { defineNode, type NodeType } from '../../src/node-contract.ts';
import { type FileSpec, runFile, TestJournal, type TestRun } from './harness.ts';
import { type Block, compile, programs } from './programs.ts';

/** CASARE_FUZZ_PROGRAMS: how many random programs are run instead of a few. */
const runs = Number(process.env.CASARE_FUZZ_PROGRAMS ?? 40);

/** What has happened in the world: attempts of steps, by idempotency key and attempt. */
type Done = Map<string, number>;

/** An effect that nobody can look for, and that heeds its signal when it has happened already. */
function blindNode(done: Done): NodeType {
  return defineNode({
    type: 'TallyNode',
    category: 'test',
    description: 'Leaves a mark that cannot be looked for.',
    params: z.object({ mark: z.unknown().optional(), breaks: z.boolean().default(false) }),
    outputs: ['mark'],
    effect: () => 'effect',
    run: async (ctx) => {
      const name = `${ctx.idempotencyKey} ${ctx.attempt}`;
      done.set(name, (done.get(name) ?? 0) + 1);
      ctx.variables.set('last', 'x');
      // Long enough for a stop to come meanwhile.
      for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      ctx.signal.throwIfAborted();
      if (ctx.params.breaks) throw new Error('broke after its effect');
      return { outputs: { mark: 'x' } };
    },
  });
}

interface Session {
  /** The process dies at this commit of the session. */
  readonly dies: { readonly at: 'before' | 'after'; readonly commit: number } | null;
  readonly cancels: { readonly commit: number } | null;
  /** For each open question: what is answered, or null: not yet. */
  readonly answers: readonly (DoubtAnswer['answer'] | null)[];
}

const sessions: fc.Arbitrary<readonly Session[]> = fc.array(
  fc.record({
    dies: fc.option(
      fc.record({ at: fc.constantFrom('before' as const, 'after' as const), commit: fc.integer({ min: 1, max: 12 }) }),
      { freq: 4 },
    ),
    cancels: fc.option(fc.record({ commit: fc.integer({ min: 0, max: 12 }) }), { freq: 2 }),
    answers: fc.array(fc.constantFrom('retry' as const, 'skip' as const, 'fail' as const, null), {
      minLength: 1,
      maxLength: 4,
    }),
  }),
  { minLength: 1, maxLength: 8, size: 'max' },
);

const last: Session = { dies: null, cancels: null, answers: ['skip', 'fail', 'retry'] };

async function drive(spec: FileSpec, plan: readonly Session[], snapshotEvery: number | undefined) {
  const done: Done = new Map();
  const journal = new TestJournal([], snapshotEvery);
  const given: DoubtAnswer[] = [];
  let questions: readonly DoubtQuestion[] = [];
  let run: TestRun | null = null;
  for (let index = 0; index < plan.length + 200; index += 1) {
    const session = plan[index] ?? last;
    questions.forEach(({ node_id, step, attempt }, place) => {
      const answer = session.answers[place % session.answers.length] ?? null;
      if (answer !== null) given.push({ node_id, step, attempt, answer, by: 'ann', at: 'now' });
    });
    const stopper = new AbortController();
    const first = journal.commits;
    const die = (commit: number): void => {
      if (session.cancels?.commit === commit - first) stopper.abort({ kind: 'cancel', reason: 'enough' });
      if (session.dies?.commit === commit - first) throw new Error('the process died');
    };
    if (session.cancels?.commit === 0) stopper.abort({ kind: 'cancel', reason: 'enough' });
    journal.beforeCommit = session.dies?.at === 'after' ? () => undefined : die;
    journal.afterCommit = session.dies?.at === 'after' ? die : () => undefined;
    const options = { journal, types: [blindNode(done)], inDoubtPolicy: 'ask', answers: [...given] } as const;
    run = await runFile(spec, { ...options, signal: stopper.signal });
    questions = run.end.status === 'in_doubt' ? run.end.nodes : [];
    if (run.end.status !== 'suspended' && run.end.status !== 'in_doubt') return { run, done, journal };
  }
  throw new Error(`the run makes no progress: ${JSON.stringify(run?.end)}`);
}

/** Everything that has happened is recorded with how it ended, was asked about, or is named at the end. */
function complaints(entries: readonly JournalEntry[], done: Done, end: TestRun['end']): string[] {
  const intents = entries.filter((entry): entry is IntentEntry => entry.kind === 'intent' && entry.effect === 'effect');
  const names: NamesCutOff = end.status === 'failed' ? end.error : (end as NamesCutOff);
  const named = (names.may_have_happened ?? []).map(({ step, attempt }) => `${step} ${attempt}`);
  const known = new Set(named);
  const found: string[] = [];
  const ran = new Set<string>();
  let open = new Map<number, IntentEntry>();
  for (const entry of entries) {
    if (entry.kind === 'intent' && entry.effect === 'effect') open.set(entry.step, entry);
    if (entry.kind === 'answered') known.add(`${entry.step} ${entry.attempt}`);
    if (entry.kind !== 'result' && entry.kind !== 'failure' && entry.kind !== 'retry') continue;
    const intent = open.get(entry.step);
    if (intent === undefined) continue;
    const isSure =
      entry.kind === 'retry' || (entry.kind === 'result' ? entry.settled !== true : !entry.error.ambiguous);
    if (isSure) known.add(`${intent.step} ${intent.attempt}`);
    if (entry.kind === 'result' && entry.settled !== true) ran.add(`${intent.idempotency_key} ${intent.attempt}`);
    open.delete(entry.step);
  }
  open = new Map();
  for (const [name, times] of done) {
    const intent = intents.find(({ idempotency_key: key, attempt }) => `${key} ${attempt}` === name);
    if (times > 1) found.push(`${name} happened ${times} times`);
    if (intent === undefined) found.push(`${name} happened without an intent`);
    else if (!known.has(`${intent.step} ${intent.attempt}`))
      found.push(`nobody knows of ${name} (step ${intent.step})`);
  }
  for (const name of ran) if (!done.has(name)) found.push(`${name} is recorded and did not happen`);
  if (new Set(named).size !== named.length) found.push(`named twice: ${named.join(', ')}`);
  const seen = new OpenIntents();
  seen.load(entries);
  const watched = seen.mayHaveHappened.named.map(({ step, attempt }) => `${step} ${attempt}`);
  if (watched.join() !== named.join()) found.push(`the end names ${named.join()}, its watcher ${watched.join()}`);
  return found;
}

const mark = { do: 'mark', label: 0 } as const;
const again = { cancels: null, answers: ['retry' as const] };

/** A cancelled run dies in the items of its finally body, right behind a snapshot. */
const finallyWithItems: [Block, readonly Session[], boolean, number | undefined] = [
  [
    { do: 'try', body: [mark], catch: null, finally: [{ do: 'each', size: 1, batch: 1, body: [mark, mark, mark] }] },
    mark,
  ],
  [
    { ...again, dies: { at: 'before', commit: 4 } },
    { ...again, dies: { at: 'before', commit: 6 }, cancels: { commit: 0 } },
  ],
  false,
  1,
];

it(`each effect happens once for each attempt, and is recorded, asked about or named, whatever program dies or is cancelled where and answered how (${runs} programs)`, {
  timeout: 120_000 + runs * 100,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      programs,
      sessions,
      fc.boolean(),
      fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
      async (program, plan, stopOnError, snapshotEvery) => {
        const { run, done, journal } = await drive(compile(program, stopOnError), plan, snapshotEvery);
        expect(complaints(journal.entries, done, run.end)).toEqual([]);
      },
    ),
    { examples: [finallyWithItems], numRuns: runs, interruptAfterTimeLimit: 110_000 + runs * 100 },
  );
});
