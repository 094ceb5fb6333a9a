/**
 * One step: a node from its preparation to the entry that ends it.
 *
 *   prepare -> [settle what is in doubt] -> intent (I4) -> attempt -> result | failure | stop
 *                                             ^               |
 *                                             +--- retry <----+
 */
import { NodeError } from '../errors.ts';
import type { JsonValue } from '../json.ts';
import type { WorkflowNode } from '../model/workflow.ts';
import { type AttemptEnd, DEFAULT_ABORT_GRACE_MS, runAttempt } from './attempt.ts';
import { callTimeout, expiredCall, remainingOfCalls } from './call-deadline.ts';
import { answerTo, type DoubtQuestion } from './doubt.ts';
import { endsTheRun, type Failure, failureOf } from './failure.ts';
import { takesErrorOf } from './frame-search.ts';
import type { CallFrame } from './frames.ts';
import { settleByAnswer, settleInDoubt } from './in-doubt.ts';
import type { AnsweredEntry, IntentEntry, SuspendCause } from './journal.ts';
import { isShielded, laneStop, stoppedLane } from './lane-shield.ts';
import { hasStepUnderWay } from './lanes.ts';
import { longSleep } from './long-sleep.ts';
import { lostError } from './lost-error.ts';
import { nodeContext, unlessRefused } from './node-context.ts';
import { isPassedOver, type NodeYield, passOver, runLoopAgain, runNode } from './node-run.ts';
import { ownInDoubtPolicy, type PreparedStep, prepareStep } from './prepare-step.ts';
import { mayRetry } from './retry-rule.ts';
import type { Interruption } from './run-options.ts';
import { JournalFault } from './run-record.ts';
import type { RunSession } from './run-session.ts';
import { type Lane, rootLane } from './run-state.ts';
import { StepRecord } from './step-record.ts';
import type { NodeStopCause } from './stop-control.ts';
import { lostInputs, revive } from './unstorable/revive.ts';

export type StepEnd =
  /** The record holds a result or a failure. */
  | { readonly kind: 'ended' }
  /** The run must stop; `hasEnded` is false when the node still runs somewhere. */
  | { readonly kind: 'stopped'; readonly hasEnded: boolean }
  | { readonly kind: 'suspended'; readonly cause: SuspendCause; readonly reason: string }
  | { readonly kind: 'in_doubt'; readonly question: DoubtQuestion };

/** @throws JournalFault */
export function runStep(run: RunSession, node: WorkflowNode): Promise<StepEnd> {
  return new Step(run, node).run();
}

const ENDED: StepEnd = { kind: 'ended' };

class Step {
  readonly #run: RunSession;
  readonly #node: WorkflowNode;
  readonly #record: StepRecord;
  readonly #interrupted: IntentEntry | null;
  readonly #interruption: Interruption | null;
  readonly #stopBefore: Lane['stop'];

  constructor(run: RunSession, node: WorkflowNode) {
    const { lane } = run;
    this.#run = run;
    this.#node = node;
    this.#interrupted = lane.intent;
    this.#stopBefore = lane.stop;
    this.#interruption = run.takeInterruption(lane.intent?.step ?? null);
    this.#record = new StepRecord(run, node);
  }

  async run(): Promise<StepEnd> {
    if (this.#interruption?.treatment === 'fail' && this.#interrupted === null) {
      return this.#fail(lostError(this.#interruption, false));
    }
    const expired = this.#interrupted === null ? expiredCall(this.#run.lane, this.#run.options.clock) : undefined;
    if (expired !== undefined) return this.#failCall(expired);
    let ready: NodeYield | PreparedStep;
    try {
      const left = await this.#revive();
      if (left !== null) return left;
      ready = this.#yieldAtOnce() ?? (await prepareStep(this.#run, this.#node));
    } catch (thrown) {
      return this.#isOvertaken() ? ENDED : this.#failUnprepared(thrown);
    }
    if (this.#isOvertaken()) return ENDED;
    if ('params' in ready) return (await this.#settle(ready)) ?? this.#runAttempts(ready);
    await this.#record.intent(null, null);
    return this.#succeed(ready);
  }

  /** Null when everything that the node reads is there. */
  async #revive(): Promise<StepEnd | null> {
    const { control, options } = this.#run;
    const lost = lostInputs(this.#run, this.#node);
    if (lost.length === 0) return null;
    const end = await runAttempt<void>({
      run: (signal) => revive(this.#run, lost, signal),
      clock: options.clock,
      limitMs: options.nodeTimeoutMs,
      abortGraceMs: options.abortGraceMs ?? DEFAULT_ABORT_GRACE_MS,
      control,
      mustStop: () => control.cause ?? laneStop(this.#run.lane),
    });
    if (end.kind === 'stopped') return this.#stop(end.cause, end.hasEnded);
    if (end.kind === 'failed') throw end.thrown;
    if (end.kind === 'timed_out') throw reviveTimeout(options.nodeTimeoutMs);
    return null;
  }

  /** An effect that was under way may have happened, whatever keeps it from being looked for. */
  #failUnprepared(thrown: unknown): Promise<StepEnd> {
    const failure = failureOf(thrown, this.#node, this.#run.options);
    const mayHaveHappened = this.#interrupted?.effect === 'effect';
    return this.#failWith(mayHaveHappened ? { ...failure, error: { ...failure.error, ambiguous: true } } : failure);
  }

  /** True when the lane was told to stop before the intent: this node may not be its next one any more. */
  #isOvertaken(): boolean {
    return this.#run.lane.stop !== this.#stopBefore;
  }

  /** What needs no preparation: a disabled node, and the next iteration of some loops. */
  #yieldAtOnce(): NodeYield | null {
    return isPassedOver(this.#node) ? passOver(this.#run, this.#node) : runLoopAgain(this.#run, this.#node);
  }

  /** Null when the node is to run. */
  async #settle(step: PreparedStep): Promise<StepEnd | null> {
    if (this.#interrupted === null) return null;
    this.#record.began(step);
    const answer = this.#takeAnswer();
    if (answer === null && this.#interruption?.treatment === 'fail') {
      const lost = failureOf(
        lostError(this.#interruption, this.#interrupted.effect === 'effect'),
        this.#node,
        this.#run.options,
      );
      return this.#failOrWait(step, lost);
    }
    const settlement =
      answer === null
        ? await settleInDoubt(this.#run, step, this.#interrupted, this.#interruption)
        : settleByAnswer(this.#run, this.#node, answer);
    switch (settlement.kind) {
      case 'run_again':
        return null;
      case 'settled':
        return this.#succeed(settlement.yielded, settlement);
      case 'failed':
        return this.#failOrWait(
          { ...step, retries: { ...step.retries, own: 0, fromSettings: 0 } },
          failureOf(settlement.thrown, this.#node, this.#run.options),
        );
      case 'ask':
        return this.#ask(this.#interrupted, settlement.reason);
      case 'stopped':
        return this.#stop(settlement.cause, settlement.hasEnded);
    }
  }

  /**
   * The answer to what was asked about this attempt: one that was taken before the process died, else one that has come
   * since.
   */
  #takeAnswer(): AnsweredEntry | null {
    const { lane, options } = this.#run;
    if (lane.answered !== null || lane.doubt === null) return lane.answered;
    const answer = answerTo(lane.doubt, options.answers);
    return answer === undefined ? null : this.#record.answered(answer);
  }

  /** The question is recorded once, however often the run is taken up again without an answer. */
  async #ask(intent: IntentEntry, reason: string): Promise<StepEnd> {
    const { doubt } = this.#run.lane;
    return { kind: 'in_doubt', question: doubt ?? (await this.#record.asked(intent, reason)) };
  }

  async #runAttempts(step: PreparedStep): Promise<StepEnd> {
    for (;;) {
      const before = await this.#look(step);
      if (this.#isOvertaken()) return ENDED;
      if (before.kind !== 'done') return this.#endWithoutRunning(step, before);
      const identity = await this.#record.intent(step, before.value);
      this.#record.began(step);
      const end = await this.#patiently(step, (signal) => runNode(this.#run, step, identity, signal));
      if (end.kind === 'done') return this.#succeed(end.value);
      if (end.kind === 'stopped') return this.#stop(end.cause, end.hasEnded);
      if (end.kind === 'failed' && end.thrown instanceof JournalFault) throw end.thrown;
      const thrown = end.kind === 'failed' ? end.thrown : this.#timeout(step, end.hasEnded);
      const over = await this.#failOrWait(step, failureOf(thrown, this.#node, this.#run.options));
      if (over !== null) return over;
    }
  }

  /** Null when the node is to run again. */
  async #failOrWait(step: PreparedStep, failure: Failure): Promise<StepEnd | null> {
    if (mayRetry(step, failure, this.#record.retries)) return this.#waitForRetry(step, failure);
    return this.#failWith(
      isLeftInDoubt(step, failure) ? { ...failure, error: { ...failure.error, ambiguous: true } } : failure,
    );
  }

  /** The time of a call around this step is over: the call fails, and this node does not run. */
  async #failCall({ node: callId, limitMs }: CallFrame): Promise<StepEnd> {
    const { plan, options } = this.#run;
    const call = plan.workflow.nodes.get(callId);
    if (call === undefined) throw new Error(`no node ${callId} in this workflow`);
    await this.#record.callFailure(call, failureOf(callTimeout(limitMs, false), call, options).error);
    return ENDED;
  }

  #timeout(step: PreparedStep, hasEnded: boolean): NodeError {
    const { lane, options } = this.#run;
    const isEffect = step.effect === 'effect';
    const expired = expiredCall(lane, options.clock);
    return expired === undefined ? timeoutError(step, hasEnded, isEffect) : callTimeout(expired.limitMs, isEffect);
  }

  /** What the world is like before an effect: for the probe after a crash. */
  async #look(step: PreparedStep): Promise<AttemptEnd<JsonValue>> {
    const { type } = step;
    if (type.prepare === undefined || step.effect !== 'effect') return { kind: 'done', value: null };
    const identity = this.#record.nextIdentity;
    return this.#patiently(step, async (signal) => {
      const call = nodeContext(this.#run, {
        ...identity,
        params: step.params,
        given: step.given,
        exposure: step.exposure,
        signal,
      });
      return unlessRefused(call, async () => (await type.prepare?.(call.ctx)) ?? null);
    });
  }

  async #endWithoutRunning(
    step: PreparedStep,
    end: Exclude<AttemptEnd<JsonValue>, { readonly kind: 'done' }>,
  ): Promise<StepEnd> {
    if (end.kind === 'stopped') return this.#stop(end.cause, end.hasEnded);
    return this.#fail(end.kind === 'failed' ? end.thrown : timeoutError(step, end.hasEnded, false));
  }

  /** The attempt has failed for certain, so nothing is in doubt while the run waits. Null: go on. */
  async #waitForRetry(step: PreparedStep, failure: Failure): Promise<StepEnd | null> {
    const { options, control, lane } = this.#run;
    await this.#record.retry(failure.error);
    const end = await runAttempt<void>({
      run: (signal) => longSleep(options.clock, retryWaitMs(step, this.#record.retries), signal),
      clock: options.clock,
      limitMs: remainingOfCalls(lane, options.clock),
      abortGraceMs: DEFAULT_ABORT_GRACE_MS,
      control,
      mustStop: () => (control.cause?.kind === 'suspend' ? control.cause : this.#mustStop(step)),
    });
    return end.kind === 'stopped' ? this.#stop(end.cause, true) : null;
  }

  #patiently<T>(step: PreparedStep, work: (signal: AbortSignal) => Promise<T>): Promise<AttemptEnd<T>> {
    const { options, control, lane } = this.#run;
    return runAttempt({
      run: work,
      clock: options.clock,
      limitMs: least(step.limitMs, remainingOfCalls(lane, options.clock)),
      abortGraceMs: options.abortGraceMs ?? DEFAULT_ABORT_GRACE_MS,
      control,
      mustStop: () => this.#mustStop(step),
    });
  }

  /** When the run is suspended, an effect is let finish; when it is stopped, a finally body is; within the grace. */
  #mustStop(step: PreparedStep): NodeStopCause | 'grace_over' | null {
    const { control, lane } = this.#run;
    const { cause } = control;
    if (cause?.kind === 'suspend') return step.effect === 'effect' && !control.isGraceOver ? null : cause;
    const stopped = stoppedLane(lane);
    if (stopped === null && cause === null) return null;
    if (!isShielded(lane)) return stopped === null ? cause : { kind: 'lane' };
    const { graces } = this.#run;
    const around = stopped ?? rootLane(lane.run);
    graces.begin(around);
    return graces.isOver(around) ? 'grace_over' : null;
  }

  async #stop(cause: NodeStopCause | 'grace_over', hasEnded: boolean): Promise<StepEnd> {
    const { record, control, lane } = this.#run;
    if (cause !== 'grace_over' && cause.kind === 'suspend') {
      if (hasEnded) return { kind: 'suspended', cause: 'asked', reason: cause.reason };
      const reason = `${cause.reason}; the node "${this.#node.id}" has not ended yet`;
      return { kind: 'suspended', cause: 'node-still-running', reason };
    }
    const reason = cause === 'grace_over' ? control.cause : cause;
    const isAsked = reason !== null && reason.kind !== 'suspend' && reason.kind !== 'lane';
    if (lane.run.stop === null && isAsked) this.#record.stop(reason);
    else if (cause !== 'grace_over' && hasStepUnderWay(lane)) this.#record.interrupted();
    await record.flush();
    return { kind: 'stopped', hasEnded };
  }

  #succeed(yielded: NodeYield, settled: { readonly skipped: string | null } | null = null): StepEnd {
    this.#record.result(yielded, settled);
    return ENDED;
  }

  #fail(thrown: unknown): Promise<StepEnd> {
    return this.#failWith(failureOf(thrown, this.#node, this.#run.options));
  }

  async #failWith(failure: Failure): Promise<StepEnd> {
    const { lane, control, evidence } = this.#run;
    const isKept = control.cause === null && evidence !== null;
    const isTaken = takesErrorOf(lane);
    const endsAll = endsTheRun(failure) && lane.run.stop === null;
    if (endsAll) {
      control.refuse(failure.error);
      await this.#record.endOfRun(failure.error);
    } else await this.#record.failure(failure, isKept);
    // The failure is durable: whatever comes of looking at it, it is not lost.
    if (isKept) {
      this.#record.named();
      await evidence.failed(failure, isTaken);
    }
    return endsAll ? { kind: 'stopped', hasEnded: true } : ENDED;
  }
}

/** An effect that may have happened, in a node whose own config does not ask to repeat it (I4). */
function isLeftInDoubt(step: PreparedStep, failure: Failure): boolean {
  return (
    step.effect === 'effect' &&
    failure.isAmbiguous &&
    !step.retries.asksForRepetition &&
    ownInDoubtPolicy(step.node) !== 'retry'
  );
}

/** @param retry which repetition is waited for, from 1 */
function retryWaitMs({ retries: { intervalMs, backoff } }: PreparedStep, retry: number): number {
  return Math.min(MAX_RETRY_WAIT_MS, intervalMs * backoff ** (retry - 1));
}

/** However much an interval has grown: one day. */
const MAX_RETRY_WAIT_MS = 24 * 60 * 60 * 1_000;

function least(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.max(0, Math.min(one, other));
}

function reviveTimeout(limitMs: number): NodeError {
  return new NodeError(`What a restart of the robot took could not be brought back within ${limitMs} ms.`, {
    code: 'NODE_TIMEOUT',
    category: 'transient',
    errorType: 'TimeoutError',
  });
}

function timeoutError(step: PreparedStep, hasEnded: boolean, ambiguous: boolean): NodeError {
  const rest = hasEnded ? '' : ' It ignores its signal and may still be running.';
  return new NodeError(`It did not end within its time limit of ${step.limitMs} ms.${rest}`, {
    code: 'NODE_TIMEOUT',
    category: 'transient',
    ambiguous,
    errorType: 'TimeoutError',
  });
}
