/**
 * What one step writes: its entries, in the order that `run-step.ts` decides on, with the step's number, attempts and
 * times. An entry and what is told of it go together.
 */
import type { RunError } from '../errors.ts';
import type { JsonValue } from '../json.ts';
import type { WorkflowNode } from '../model/workflow.ts';
import { inDoubtEntry, questionOf } from './ask.ts';
import type { DoubtAnswer, DoubtQuestion } from './doubt.ts';
import type { Failure } from './failure.ts';
import { iterationOf } from './iteration.ts';
import type { AnsweredEntry, IntentEntry, StopEntry } from './journal.ts';
import { idempotencyKey, type StepIdentity } from './node-context.ts';
import type { NodeYield } from './node-run.ts';
import type { PreparedStep } from './prepare-step.ts';
import type { BegunNode } from './run-evidence.ts';
import type { RunSession } from './run-session.ts';
import { laneMark } from './run-state.ts';
import type { StopCause } from './stop-control.ts';
import { stopEntry } from './stop-entry.ts';

export class StepRecord {
  /** Which step of the run. */
  readonly number: number;
  /** Which step of its lane. */
  readonly #ordinal: number;
  readonly #run: RunSession;
  readonly #node: WorkflowNode;
  #startedAt: number;
  #attempt: number;
  #retries: number;

  /** Goes on with the step that the lane has begun, or begins its next one. */
  constructor(run: RunSession, node: WorkflowNode) {
    const { lane } = run;
    const begun = lane.intent ?? lane.retrying;
    this.#run = run;
    this.#node = node;
    this.number = begun?.step ?? run.record.takeStep();
    this.#ordinal = begun === null ? lane.steps + 1 : lane.steps;
    this.#attempt = begun?.attempt ?? 0;
    this.#retries = lane.retrying?.retries ?? 0;
    this.#startedAt = run.options.clock.monotonic();
  }

  /** Repetitions that were begun or waited for. */
  get retries(): number {
    return this.#retries;
  }

  /** Of the attempt that comes next. */
  get nextIdentity(): StepIdentity {
    return { node: this.#node, ordinal: this.#ordinal, attempt: this.#attempt + 1 };
  }

  /** Recorded with what the answer leads to: the next intent, result or failure. */
  answered(given: DoubtAnswer): AnsweredEntry {
    const { record, lane } = this.#run;
    const taken: AnsweredEntry = {
      kind: 'answered',
      ...laneMark(lane),
      step: this.number,
      node_id: this.#node.id,
      attempt: this.#attempt,
      ...(lane.doubt?.place === undefined ? {} : { place: lane.doubt.place }),
      answer: given.answer,
      by: given.by,
      given_at: given.at,
      at: this.#now(),
    };
    record.add(taken);
    return taken;
  }

  async asked(intent: IntentEntry, reason: string): Promise<DoubtQuestion> {
    const { record, lane } = this.#run;
    const question = questionOf(lane, intent, reason);
    record.add(inDoubtEntry(lane, question, this.#now()));
    await record.flush();
    return question;
  }

  /** Commits the intent together with what came before it (I3). A loop's next iteration needs no preparation. */
  async intent(step: PreparedStep | null, evidence: JsonValue): Promise<StepIdentity> {
    const { record, notify, plan, lane } = this.#run;
    const identity = this.nextIdentity;
    this.#attempt = identity.attempt;
    const notice = {
      ...this.#notice(),
      attempt: this.#attempt,
      total: plan.workflow.nodes.size,
      limit_ms: step?.limitMs ?? null,
    };
    const entry: IntentEntry = {
      kind: 'intent',
      ...laneMark(lane),
      step: this.number,
      node_id: this.#node.id,
      effect: step?.effect ?? 'pure',
      attempt: this.#attempt,
      idempotency_key: idempotencyKey(this.#run, identity),
      ...(step?.effect === 'effect' ? { params: step.storableInputs, evidence } : {}),
      ...(step?.exposure.isExposed === true && evidence !== null ? { secret: [['evidence']] } : {}),
      at: this.#now(),
    };
    record.add(entry, () => notify('nodeStarted', notice));
    await record.flush();
    if (this.#retries === 0) this.#startedAt = this.#run.options.clock.monotonic();
    return identity;
  }

  /** The node is about to run: what a failure is explained with later. */
  began(step: PreparedStep): void {
    this.#run.evidence?.began({ ...this.#begun(), inputs: step.storableInputs });
  }

  /** The step fails, and is named even if its node could not begin. */
  named(): void {
    this.#run.evidence?.named({ ...this.#begun(), inputs: null });
  }

  /** The attempt has failed for certain, so nothing is in doubt while the run waits for the next one. */
  async retry(error: RunError): Promise<void> {
    const { record, lane } = this.#run;
    record.add({
      kind: 'retry',
      ...laneMark(lane),
      step: this.number,
      node_id: this.#node.id,
      attempt: this.#attempt,
      error,
      duration_ms: this.#elapsedMs(),
      at: this.#now(),
    });
    await record.flush();
    this.#retries += 1;
  }

  /**
   * Committed with the next intent.
   *
   * @param settled that the node did not run, and why it was skipped, if it was
   */
  result(yielded: NodeYield, settled: { readonly skipped: string | null } | null): void {
    const { record, notify, lane } = this.#run;
    const durationMs = this.#elapsedMs();
    const skipped = settled?.skipped ?? null;
    const notice = {
      ...this.#notice(),
      duration_ms: durationMs,
      retries: this.#triesAfterFirst,
      exit: yielded.exit,
      ...(skipped === null ? {} : { skipped }),
    };
    const iteration = iterationOf(lane, this.#node.id);
    record.add(
      {
        kind: 'result',
        ...laneMark(lane),
        step: this.number,
        node_id: this.#node.id,
        ...(iteration.length === 0 ? {} : { iteration }),
        ...yielded,
        duration_ms: durationMs,
        retries: this.#triesAfterFirst,
        ...(settled === null ? {} : { settled: true }),
        ...(skipped === null ? {} : { skipped: true }),
        at: this.#now(),
      },
      () => notify('nodeFinished', notice),
    );
  }

  /** Committed with the next intent; at once when the step never had one, so that such failures cannot pile up. */
  async failure({ error }: Failure, isUrgent: boolean): Promise<void> {
    const { record, notify, lane } = this.#run;
    const hadIntent = lane.intent !== null;
    const notice = { ...this.#notice(), duration_ms: this.#elapsedMs(), retries: this.#triesAfterFirst, error };
    const { step, node_id, duration_ms, retries } = notice;
    record.add(
      { kind: 'failure', ...laneMark(lane), step, node_id, error, duration_ms, retries, at: this.#now() },
      () => notify('nodeFailed', notice),
    );
    if (!hadIntent || isUrgent) await record.flush();
  }

  /** The call around this step has failed, in the place of the step's node. */
  async callFailure(call: WorkflowNode, error: RunError): Promise<void> {
    const { record, lane, notify } = this.#run;
    const step = this.number;
    const notice = { node_id: call.id, node_type: call.type, step, duration_ms: 0, retries: 0, error };
    record.add(
      {
        kind: 'failure',
        ...laneMark(lane),
        step,
        node_id: call.id,
        error,
        duration_ms: 0,
        retries: 0,
        at: this.#now(),
      },
      () => notify('nodeFailed', notice),
    );
    await record.flush();
  }

  /** The step's failure ends the run. */
  async endOfRun(error: RunError): Promise<void> {
    const { record, notify, lane } = this.#run;
    const notice = { ...this.#notice(), duration_ms: this.#elapsedMs(), retries: this.#triesAfterFirst, error };
    record.add({ ...stopEntry({ kind: 'refused', error }, lane, this.#now()), ...this.#place() }, () =>
      notify('nodeFailed', notice),
    );
    await record.flush();
  }

  stop(cause: Exclude<StopCause, { readonly kind: 'suspend' }>): void {
    const { record, lane } = this.#run;
    record.add(stopEntry(cause, lane, this.#now()));
  }

  /** The lane was stopped while this step was under way. */
  interrupted(): void {
    const { record, lane } = this.#run;
    const at = this.#now();
    record.add({ kind: 'interrupted', ...laneMark(lane), step: this.number, node_id: this.#node.id, at });
  }

  /** Of a step that may have had no intent yet. */
  #place(): Pick<StopEntry, 'step' | 'node_id' | 'lane'> {
    return { ...laneMark(this.#run.lane), step: this.number, node_id: this.#node.id };
  }

  #notice(): { readonly node_id: string; readonly node_type: string; readonly step: number } {
    return { node_id: this.#node.id, node_type: this.#node.type, step: this.number };
  }

  /** Those too that no policy for retries brought: after a crash, or by an answer. */
  get #triesAfterFirst(): number {
    return Math.max(this.#retries, this.#attempt - 1);
  }

  #begun(): Omit<BegunNode, 'inputs'> {
    const { node_id, node_type, step } = this.#notice();
    return { node_id, node_type, step, attempt: this.#attempt, at: this.#now() };
  }

  #now(): number {
    return this.#run.options.clock.now();
  }

  #elapsedMs(): number {
    return Math.max(0, Math.round(this.#run.options.clock.monotonic() - this.#startedAt));
  }
}
