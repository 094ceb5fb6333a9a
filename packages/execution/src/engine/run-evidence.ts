/**
 * What is known of a run at the moment in which a node fails, for whoever keeps it: the error with its causes, the last
 * nodes with their inputs, and the live objects, before anything of them is closed. Whatever the keeper does changes
 * nothing about the run: it has a limited time, and what it throws is logged.
 */
import type { RunError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { Clock, Logger } from '../ports.ts';
import type { Failure } from './failure.ts';
import type { JournalEntry } from './journal.ts';
import { type Redact, redacted, redactedWord } from './redact.ts';

/** A node that began, with its inputs as the workflow gives them: secrets are references, or hidden. */
export interface BegunNode {
  readonly node_id: string;
  readonly node_type: string;
  readonly step: number;
  readonly attempt: number;
  /** Ms since the epoch. */
  readonly at: number;
  /** Null: nobody recorded them, because it never got as far, or an earlier process ran it and it was no effect. */
  readonly inputs: JsonObject | null;
}

export interface OpenResource {
  readonly kind: string;
  readonly name: string | null;
  readonly value: unknown;
}

export interface FailureView {
  readonly jobId: string;
  readonly workflowHash: string;
  readonly error: RunError;
  /** What was thrown and its causes, outermost first, without secrets. */
  readonly causes: readonly { readonly name: string; readonly message: string; readonly stack: string | null }[];
  /** Oldest first; the failed one is the last, unless others run beside it. */
  readonly lastNodes: readonly BegunNode[];
  /** Oldest first. */
  readonly resources: readonly OpenResource[];
  /** Takes out of a text all secrets that the run knows. */
  readonly redact: Redact;
  /** Aborts when the time is over. */
  readonly signal: AbortSignal;
}

/** Keeps what it wants of a failed node. A later call replaces an earlier one: the last failure may be the one that counts. */
export interface FailureEvidence {
  nodeFailed(view: FailureView): Promise<void>;
}

export interface RunEvidenceOptions {
  readonly keeper: FailureEvidence;
  readonly jobId: string;
  readonly workflowHash: string;
  /** What earlier processes ran, oldest first; see `begunIn`. */
  readonly earlier: readonly BegunNode[];
  readonly resources: () => readonly OpenResource[];
  readonly redact: Redact | undefined;
  /** The run's own: who stops it need not wait for pictures. */
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

const KEPT_NODES = 20;
const LIMIT_MS = 10_000;
/** Failures that a region takes are looked at so many times in a run, others so many times (I7). */
const MOST_TAKEN = 3;
const MOST_OTHER = 20;
const MOST_CAUSES = 10;
const MOST_STACK_CHARS = 4_000;

export class RunEvidence {
  readonly #options: RunEvidenceOptions;
  #begun: readonly BegunNode[];
  #taken = 0;
  #other = 0;

  constructor(options: RunEvidenceOptions) {
    this.#options = options;
    this.#begun = options.earlier.slice(-KEPT_NODES);
  }

  /** A node that an earlier process began is told again, with its inputs, by the process that settles it. */
  began(node: BegunNode): void {
    const isSame = ({ step, attempt }: BegunNode) => step === node.step && attempt === node.attempt;
    const at = this.#begun.find(isSame)?.at ?? node.at;
    this.#begun = [...this.#begun.filter((known) => !isSame(known)), { ...node, at }].slice(-KEPT_NODES);
  }

  /** The node of a step that fails: it may not have begun. */
  named(node: BegunNode): void {
    if (!this.#begun.some(({ step }) => step === node.step)) this.began(node);
  }

  /**
   * Never rejects; resolves within the limit.
   *
   * @param isTaken whether a region takes the error, so that the run may well go on
   */
  async failed({ error, thrown }: Failure, isTaken: boolean): Promise<void> {
    if (isTaken) this.#taken += 1;
    else this.#other += 1;
    if (isTaken ? this.#taken > MOST_TAKEN : this.#other > MOST_OTHER) return;
    const { keeper, jobId, workflowHash, resources, clock, logger } = this.#options;
    const redact: Redact = this.#options.redact ?? ((text) => text);
    const over = new AbortController();
    const signal = AbortSignal.any([
      over.signal,
      ...(this.#options.signal === undefined ? [] : [this.#options.signal]),
    ]);
    const timer = new AbortController();
    const limit = clock.sleep(LIMIT_MS, AbortSignal.any([timer.signal, signal])).catch(() => undefined);
    const kept = (async () =>
      keeper.nodeFailed({
        jobId,
        workflowHash,
        error,
        causes: causesOf(thrown, redact),
        lastNodes: redacted(this.#begun, redact),
        resources: resources(),
        redact,
        signal,
      }))().catch((fault: unknown) => {
      logger.log('warning', `What a failed node left could not be kept: ${redact(String(fault))}`, {
        node_id: error.node_id,
      });
    });
    await Promise.race([kept, limit]);
    over.abort(new Error('the time to keep what a failed node left is over'));
    timer.abort();
  }
}

/** What a journal tells of the nodes that began: the inputs of effects, the names of others. */
export function begunIn(
  recorded: readonly JournalEntry[],
  nodes: ReadonlyMap<string, { readonly type: string }>,
): readonly BegunNode[] {
  return recorded
    .filter((entry) => entry.kind === 'intent')
    .slice(-KEPT_NODES)
    .map(({ node_id, step, attempt, at, params = null }) => {
      return { node_id, node_type: nodes.get(node_id)?.type ?? '', step, attempt, at, inputs: params };
    });
}

function causesOf(thrown: unknown, redact: Redact): FailureView['causes'] {
  const causes: FailureView['causes'][number][] = [];
  for (let at = thrown; at instanceof Error && causes.length < MOST_CAUSES; at = at.cause) {
    const stack = typeof at.stack === 'string' ? redact(at.stack).slice(0, MOST_STACK_CHARS) : null;
    causes.push({ name: redactedWord(at.name, redact), message: redact(at.message), stack });
  }
  return causes;
}
