/**
 * The progress of one job: what is known of it, changed by what happens in its run and read as a snapshot. Sends
 * nothing; a `ProgressReporter` does.
 *
 * A run's journal says all that progress needs: `replay` takes what an earlier process has recorded, `apply` what is
 * recorded from then on. The `report...` methods are the same for callers without a journal.
 */
import {
  requireAnyText,
  requireFunctions,
  requireMethods,
  requireObject,
  requireObjects,
  requireOneOf,
  requireText,
  requireWhole,
} from '../argument-error.ts';
import type { LoopSource } from '../control/control-op.ts';
import { sizeOf } from '../control/loop-source.ts';
import { beginningStages, courseIn, type JobCourse, noCourse, resumedCourse } from '../engine/job-course.ts';
import type { JournalEntry, ResultEntry } from '../engine/journal.ts';
import { restoreSnapshot } from '../engine/snapshot.ts';
import type { Clock } from '../ports.ts';
import { ProgressPercent } from './progress-percent.ts';
import { flatShape, type ProgressShape } from './progress-shape.ts';
import type { ProgressSnapshot, ProgressStage } from './progress-snapshot.ts';

/** Shown at most (I7). */
const maxCurrentNodes = 20;

const stages: readonly ProgressStage[] = [
  'queued',
  'starting',
  'loading_workflow',
  'executing',
  'completing',
  'completed',
  'failed',
  'cancelled',
];

export interface JobProgressOptions {
  readonly totalNodes?: number;
  readonly clock: Clock;
  /** Called after every change. */
  readonly onChange?: () => void;
}

interface RunningNode {
  readonly id: string;
  readonly type: string;
}

export class JobProgress {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #completed = new Set<string>();
  /** By step, else by node: branches may run the same node side by side. The newest is last. */
  readonly #current = new Map<number | string, RunningNode>();
  /** When this process entered them, wall-clock ms. */
  readonly #entered: { [stage in ProgressStage]?: number } = {};
  /** The course of the job up to this process; when the run goes on here, with that. */
  #course: JobCourse = noCourse;
  /** Whether it is known from a journal, which an earlier process may have begun. */
  #isReplayed = false;
  /** When a run was taken up here that goes on from its journal, wall-clock ms; null: none was, the job may only wait. */
  #resumedAt: number | null = null;
  /** A run was taken up here that has recorded nothing yet. */
  #isTakenUp = false;
  /** Whether the journal has the course. */
  #isNoted = false;
  readonly #percent: ProgressPercent;
  #shape: ProgressShape;
  #stage: ProgressStage = 'queued';
  #latest: RunningNode | null = null;
  #steps = 0;
  #updatedAt: number;

  /** @throws ArgumentError, as every method that is handed something else than it takes */
  constructor(options: JobProgressOptions) {
    requireObject('options', options);
    requireMethods('clock', options.clock, ['now']);
    requireFunctions({ onChange: options.onChange });
    requireWhole('totalNodes', options.totalNodes ?? 0, 0);
    this.#clock = options.clock;
    this.#onChange = options.onChange ?? (() => undefined);
    this.#shape = flatShape(options.totalNodes ?? 0);
    this.#percent = new ProgressPercent(this.#shape);
    this.#updatedAt = options.clock.now();
    this.#enter('queued');
  }

  /** How long the job waited in this process before it was taken up, in ms; null while it is not known. */
  get queueWaitMs(): number | null {
    const { queued, starting } = this.#entered;
    return queued === undefined || starting === undefined ? null : Math.max(0, starting - queued);
  }

  reportStage(stage: ProgressStage): void {
    requireOneOf('stage', stage, stages);
    if (stage === 'starting') {
      this.#resumedAt = null;
      this.#isNoted = false;
    }
    this.#enter(stage);
    if (stage === 'starting' || stage === 'loading_workflow') {
      this.#isTakenUp = true;
      this.#goOn();
    }
    this.#touch();
  }

  /** Tells which workflow it is, once it is loaded. */
  reportWorkflow(shape: ProgressShape): void {
    requireMethods('shape', shape, ['typeOf', 'loopsAround', 'bodyOf']);
    this.#shape = shape;
    this.#percent.shape = shape;
    this.#touch();
  }

  reportNodeStart(nodeId: string, nodeType: string): void {
    requireText('nodeId', nodeId);
    requireAnyText('nodeType', nodeType);
    this.#goOn();
    this.#enter('executing');
    this.#started(nodeId, { id: nodeId, type: nodeType });
    this.#touch();
  }

  reportNodeComplete(nodeId: string, result: { readonly success: boolean; readonly durationMs: number }): void {
    requireText('nodeId', nodeId);
    requireObject('result', result);
    this.#ended(nodeId, nodeId, result.success ? 'completed' : 'failed');
    this.#touch();
  }

  /** A loop begins a turn: `index` from 0 of `total`, null where nobody knows how many there will be. */
  reportLoopTurn(loopId: string, turn: { readonly index: number; readonly total: number | null }): void {
    requireText('loopId', loopId);
    requireObject('turn', turn);
    requireWhole('turn.index', turn.index, 0);
    if (turn.total !== null) requireWhole('turn.total', turn.total, 0);
    this.#percent.turn(loopId, turn);
    this.#touch();
  }

  reportLoopEnd(loopId: string): void {
    requireText('loopId', loopId);
    this.#percent.loopOver(loopId);
    this.#touch();
  }

  /**
   * Takes the whole journal of a job in place of what was known. By that alone it does not go on: it does with a run, which
   * is taken up before (`reportStage('starting')`) or records a node later.
   */
  replay(entries: readonly JournalEntry[]): void {
    requireObjects('entries', entries);
    this.#completed.clear();
    this.#current.clear();
    this.#steps = 0;
    this.#percent.restart();
    this.#isReplayed = entries.length > 0;
    this.#course = courseIn(entries);
    const isUnknownThere = this.#isReplayed && !this.#isNoted;
    if (this.#resumedAt !== null && isUnknownThere) this.#course = resumedCourse(this.#course, this.#resumedAt);
    else if (this.#isTakenUp) this.#goOn();
    for (const entry of entries) this.#apply(entry);
    // What was under way in an earlier process runs again only when the journal says so.
    this.#current.clear();
    this.#touch();
  }

  /** Takes what a run under way has just recorded. */
  apply(entries: readonly JournalEntry[]): void {
    requireObjects('entries', entries);
    if (entries.some(({ kind }) => kind === 'intent')) this.#goOn();
    if (entries.length > 0) this.#isTakenUp = false;
    for (const entry of entries) this.#apply(entry);
    this.#isNoted ||= entries.some(({ course }) => course !== undefined);
    if (entries.length > 0) this.#touch();
  }

  /**
   * The entries with the course of the job beside those from which a later process has to know it: the first of a run, the
   * first after it went on, and every snapshot.
   */
  withCourse(entries: readonly JournalEntry[]): readonly JournalEntry[] {
    requireObjects('entries', entries);
    const isDue = ({ kind }: JournalEntry, index: number): boolean =>
      kind === 'began' || kind === 'snapshot' || (index === 0 && this.#resumedAt !== null && !this.#isNoted);
    if (entries.some(({ kind }) => kind === 'intent')) this.#goOn();
    if (!entries.some(isDue)) return entries;
    const stages = this.#beginning();
    const course: JobCourse = { ...this.#course, stages };
    const known = new Set(this.#completed);
    return entries.map((entry, index) => {
      if (entry.kind === 'result' && entry.skipped !== true) known.add(entry.node_id);
      if (!isDue(entry, index)) return entry;
      return { ...entry, course: entry.kind === 'snapshot' ? { ...course, completed: [...known] } : course };
    });
  }

  snapshot(): ProgressSnapshot {
    const isOver = this.#stage === 'completed' || this.#stage === 'failed' || this.#stage === 'cancelled';
    const newest = isOver ? null : this.#newest();
    return {
      stage: this.#stage,
      stages: this.#stages(),
      ...(this.#course.resumptions > 0
        ? { resumed_at: this.#course.resumed.map(isoTime), resumptions: this.#course.resumptions }
        : {}),
      percent: this.#stage === 'completed' ? 100 : this.#percent.percent,
      current_node: newest?.id ?? null,
      current_node_type: newest?.type ?? null,
      current_nodes: isOver ? [] : [...this.#current.values()].slice(-maxCurrentNodes).map((node) => node.id),
      nodes_completed: this.#completed.size,
      nodes_total: this.#shape.totalNodes,
      steps: this.#steps,
      updated_at: new Date(this.#updatedAt).toISOString(),
    };
  }

  /** Those of the whole job, in their order; what this process did before it went on is no stage of the job. */
  #stages(): ProgressSnapshot['stages'] {
    if (!this.#isReplayed) return timesOf(this.#entered);
    const { queued, starting, loading_workflow, executing, ...later } = this.#entered;
    const at = this.#course.resumed.at(-1);
    return timesOf({ ...this.#beginning(), ...(at === undefined ? {} : { resumed: at }), ...later });
  }

  #beginning(): JobCourse['stages'] {
    const known = this.#isReplayed ? this.#course.stages : this.#entered;
    return Object.fromEntries(
      beginningStages.flatMap((stage) => (known[stage] === undefined ? [] : [[stage, known[stage]]])),
    );
  }

  #apply(entry: JournalEntry): void {
    switch (entry.kind) {
      case 'intent':
        this.#enter('executing');
        this.#started(entry.step, this.#node(entry.node_id));
        return;
      case 'result':
        this.#applyControl(entry);
        this.#ended(entry.step, entry.node_id, entry.skipped === true ? 'skipped' : 'completed');
        return;
      case 'failure':
        this.#ended(entry.step, entry.node_id, 'failed');
        return;
      case 'retry':
      case 'in_doubt':
      case 'interrupted':
        this.#current.delete(entry.step);
        return;
      case 'stop':
        if (entry.step !== null) this.#current.delete(entry.step);
        this.#enter('completing');
        return;
      case 'snapshot':
        this.#applySnapshot(restoreSnapshot(entry.state), entry.course?.completed);
        return;
      case 'began':
        this.#begun(entry.at);
        return;
      case 'answered':
      case 'lane_stop':
      case 'lane_dropped':
      case 'outcome':
        return;
    }
  }

  #applyControl({ node_id: nodeId, control }: ResultEntry): void {
    if (control === undefined) return;
    if (control.op === 'open_loop') this.#percent.turn(nodeId, { index: 0, total: totalOf(control.source) });
    else if (control.op === 'next') this.#percent.turn(nodeId, 'next');
    else if (control.op === 'close_loop') this.#percent.loopOver(nodeId);
    else if (control.op === 'break') this.#percent.loopOver(control.loop);
  }

  /** What a snapshot holds stands for all entries before it. */
  #applySnapshot(state: ReturnType<typeof restoreSnapshot>, completed?: readonly string[]): void {
    this.#steps = Math.max(this.#steps, state.step);
    this.#begun(state.begunAt);
    const lanes = [...state.lanes.values()];
    for (const frame of lanes.flatMap((lane) => lane.frames)) {
      if (frame.kind === 'loop') this.#percent.turn(frame.node, { index: frame.index, total: totalOf(frame.source) });
    }
    for (const { intent } of lanes) if (intent !== null) this.#started(intent.step, this.#node(intent.node_id));
    const { skipped } = state;
    for (const nodeId of completed ?? lanes.flatMap((lane) => [...lane.executed])) {
      if (!skipped.has(nodeId)) this.#completed.add(nodeId);
      this.#percent.nodeDone(nodeId);
    }
    for (const nodeId of skipped) this.#percent.nodeDone(nodeId);
  }

  /** The first entry of a journal says so, and in its stead the snapshot from which a long one is read. */
  #begun(at: number | null): void {
    const { stages } = this.#course;
    if (!this.#isReplayed || at === null || stages.executing !== undefined) return;
    this.#course = { ...this.#course, stages: { ...stages, executing: at } };
  }

  #node(id: string): RunningNode {
    return { id, type: this.#shape.typeOf(id) };
  }

  #started(key: number | string, node: RunningNode): void {
    this.#current.delete(key);
    this.#current.set(key, node);
    this.#latest = node;
  }

  #ended(key: number | string, nodeId: string, how: 'completed' | 'skipped' | 'failed'): void {
    this.#current.delete(key);
    this.#steps += 1;
    if (how === 'failed') return;
    if (how === 'completed') this.#completed.add(nodeId);
    this.#percent.nodeDone(nodeId);
  }

  #newest(): RunningNode | null {
    return [...this.#current.values()].at(-1) ?? this.#latest;
  }

  /** A run goes on from the journal: once, until another one is taken up. */
  #goOn(): void {
    if (!this.#isReplayed || this.#resumedAt !== null) return;
    this.#resumedAt = this.#clock.now();
    this.#course = resumedCourse(this.#course, this.#resumedAt);
  }

  #enter(stage: ProgressStage): void {
    if (stage === this.#stage && this.#entered[stage] !== undefined) return;
    // Finally bodies of a run that was told to stop are not its execution any more.
    if (stage === 'executing' && this.#stage === 'completing') return;
    this.#stage = stage;
    this.#entered[stage] = this.#clock.now();
  }

  #touch(): void {
    this.#updatedAt = this.#clock.now();
    this.#onChange();
  }
}

function timesOf(entered: Readonly<Record<string, number>>): ProgressSnapshot['stages'] {
  return Object.fromEntries(Object.entries(entered).map(([stage, at]) => [stage, isoTime(at)]));
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}

function totalOf(source: LoopSource): number | null {
  const size = sizeOf(source);
  return Number.isFinite(size) ? size : null;
}
