/**
 * When a job process has to be killed, because what runs in it does not do what it was told. Pure: it is told what
 * happens and asked what is due. A node that blocks its process cannot see its signal, so its limits hold from here.
 */
import type { EffectKind } from '../node-contract.ts';

/** Why a process is killed; `memory` and `channel` come from elsewhere. */
export type KillCause =
  | { readonly kind: 'node_timeout'; readonly step: number; readonly limitMs: number }
  /** It did not answer for so long. */
  | { readonly kind: 'stalled'; readonly silentMs: number }
  /** A node, a lane or the whole run did not stop within the grace. */
  | { readonly kind: 'stop_ignored' }
  | { readonly kind: 'memory'; readonly usedBytes: number; readonly limitBytes: number }
  | { readonly kind: 'channel'; readonly reason: string };

export interface OpenNode {
  readonly step: number;
  readonly effect: EffectKind;
}

export interface WatchLimits {
  /** How long a node may take to end once it is told to, in ms. */
  readonly graceMs: number;
  /** How long a process may be silent while no node limit is known, in ms. */
  readonly stallMs: number;
}

/** What the process itself needs to act on a limit before it is killed for it. */
const MARGIN_MS = 250;

interface Timed {
  readonly startedAt: number;
  readonly limitMs: number | null;
}

export class RunWatch {
  readonly #limits: WatchLimits;
  readonly #nodes = new Map<number, Timed>();
  #heardAt: number;
  #jobDeadline: number | null = null;
  #stop: {
    readonly kind: 'cancel' | 'suspend' | 'job_timeout';
    readonly at: number;
    readonly withinMs: number | null;
  } | null = null;

  constructor(limits: WatchLimits, now: number) {
    this.#limits = limits;
    this.#heardAt = now;
  }

  /** The process has said something. */
  heard(now: number): void {
    this.#heardAt = now;
  }

  nodeStarted(step: number, limitMs: number | null, now: number): void {
    this.#nodes.set(step, { startedAt: now, limitMs });
  }

  jobStarted(remainingMs: number | null, now: number): void {
    this.#jobDeadline = remainingMs === null ? null : now + remainingMs;
  }

  /** @param withinMs when everything has to have ended, whatever it is, in ms from `now`; null: no such limit */
  stopped(kind: 'cancel' | 'suspend' | 'job_timeout', now: number, withinMs: number | null = null): void {
    this.#stop ??= { kind, at: now, withinMs };
  }

  /** True once the job's time is over and nobody has said so yet. */
  isJobOver(now: number): boolean {
    return this.#stop === null && this.#jobDeadline !== null && now >= this.#jobDeadline;
  }

  /**
   * @param open the nodes that are under way
   * @param stopRecordedAt when the run recorded its stop, so that only finally bodies run; null if it did not
   */
  due(now: number, open: readonly OpenNode[], stopRecordedAt: number | null): KillCause | null {
    const { graceMs, stallMs } = this.#limits;
    const grace = graceMs + MARGIN_MS;
    for (const { step } of open) {
      const node = this.#nodes.get(step);
      if (node === undefined || node.limitMs === null || this.#stop?.kind === 'cancel') continue;
      if (now >= node.startedAt + node.limitMs + grace) return { kind: 'node_timeout', step, limitMs: node.limitMs };
    }
    const silentMs = now - this.#heardAt;
    const stop = this.#stop;
    if (stop !== null) {
      if (stop.withinMs !== null && now >= stop.at + stop.withinMs + MARGIN_MS) return { kind: 'stop_ignored' };
      const isDeaf = silentMs >= grace && now >= stop.at + grace;
      const ignores = open.some(({ step, effect }) => {
        const startedAt = this.#nodes.get(step)?.startedAt ?? Number.POSITIVE_INFINITY;
        const mayFinish = stop.kind === 'suspend' && effect === 'effect';
        return startedAt <= stop.at && now >= stop.at + grace && !mayFinish;
      });
      if (isDeaf || ignores) return { kind: 'stop_ignored' };
    }
    if (stopRecordedAt !== null && open.length > 0 && now >= stopRecordedAt + grace) return { kind: 'stop_ignored' };
    const hasLimit = open.some(({ step }) => (this.#nodes.get(step)?.limitMs ?? null) !== null);
    return !hasLimit && silentMs >= stallMs ? { kind: 'stalled', silentMs } : null;
  }
}
