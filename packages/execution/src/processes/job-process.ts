/**
 * One child process that runs jobs, one after the other: `starting -> idle -> (a job) -> idle ... -> ended`.
 *
 * It leads a process group of its own, is given a mark that everything it starts inherits, speaks over a pipe of its
 * own (what it prints is captured), and holds a lifeline: when its supervisor dies, it kills its whole tree itself.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '../json.ts';
import type { Clock, Logger } from '../ports.ts';
import { Channel } from './channel.ts';
import { channelFd, lifelineFd, markVariable, type ProcessMessage, type SupervisorMessage } from './messages.ts';
import { OutputTail } from './output-tail.ts';
import { deadlineLine, sinceBootMs } from './process-deadline.ts';
import { hasProcessTable, type ProcessId, type ProcessTable, readProcess } from './process-table.ts';
import { endTree, isGroupAlive, killGroup, type TreeMember, type TreeTraces, treeMembers } from './process-tree.ts';

export interface JobProcessOptions {
  /** The script that serves jobs; see `serveJobs`. */
  readonly entry: URL;
  /** Handed to the script; plain data. */
  readonly setup: JsonObject;
  /** The whole environment of the process, but for its mark. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Unique among all processes of this robot, and beginning with the robot's own mark. */
  readonly mark: string;
  /** Flags for Node.js. */
  readonly nodeFlags: readonly string[];
  readonly logger: Logger;
  readonly clock: Clock;
  /** Told about the process and about leaders of further groups, before anything can come of them. */
  readonly onOwned: (processes: readonly ProcessId[]) => void;
  /** Told about leaders whose groups are gone. */
  readonly onDisowned: (processes: readonly ProcessId[]) => void;
}

/** How a process ended. */
export interface ProcessEnd {
  readonly signal: string | null;
  readonly exitCode: number | null;
}

/** How long a new process may take to be ready, in ms. */
const START_LIMIT_MS = 120_000;
/** Deadlines that differ by less are the same, in ms. */
const deadlineStepMs = 100;

export class JobProcess {
  readonly startedAt: number;
  readonly output: OutputTail;
  /** Resolves when the process is gone; never rejects. */
  readonly ended: Promise<ProcessEnd>;
  readonly #options: JobProcessOptions;
  readonly #child: ChildProcess;
  readonly #channel: Channel<ProcessMessage, SupervisorMessage>;
  readonly #known = new Map<number, ProcessId>();
  readonly #ready = Promise.withResolvers<void>();
  #listener: (message: ProcessMessage) => void = () => undefined;
  #onBroken: (reason: Error | null) => void = () => undefined;
  #end: ProcessEnd | null = null;
  #startTicks: number | null = null;
  #isBroken = false;
  #deadline: number | null = null;
  jobs = 0;
  rssBytes = 0;

  /** Starts a process; see `ready`. */
  constructor(options: JobProcessOptions) {
    const { entry, env, mark, nodeFlags, logger, clock, setup } = options;
    this.#options = options;
    this.startedAt = clock.monotonic();
    this.#child = spawn(process.execPath, [...nodeFlags, fileURLToPath(entry)], {
      detached: process.platform !== 'win32',
      windowsHide: true,
      env: { ...env, [markVariable]: mark },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    });
    this.ended = new Promise((resolve) => {
      const end = (signal: string | null, exitCode: number | null): void => {
        this.#end ??= { signal, exitCode };
        resolve(this.#end);
      };
      this.#child.once('exit', (exitCode, signal) => end(signal, exitCode));
      this.#child.once('error', (error) => {
        this.#ready.reject(new Error(`a job process cannot be started: ${error.message}`, { cause: error }));
        if (this.#child.pid === undefined) end(null, null);
      });
    });
    this.output = new OutputTail([this.#child.stdout, this.#child.stderr], logger, this.pid);
    this.#channel = new Channel(this.#child.stdio[channelFd] as Duplex, {
      onMessage: (message) => this.#take(message),
      onClosed: (reason) => {
        this.#isBroken = true;
        this.#onBroken(reason);
      },
    });
    // What the lifeline meets when the process dies is told by the process's end.
    this.#child.stdio[lifelineFd]?.on('error', () => undefined);
    this.#note();
    this.#channel.send({ type: 'setup', setup });
    void this.#watchStart();
  }

  /** 0 when there is none. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when it can take a job; rejects when it is no use. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get isUsable(): boolean {
    return this.#end === null && !this.#isBroken;
  }

  /** Whoever has the process hears what it says. */
  listen(listener: (message: ProcessMessage) => void, onBroken: (reason: Error | null) => void): void {
    this.#listener = listener;
    this.#onBroken = onBroken;
    if (this.#isBroken) onBroken(null);
  }

  /** @throws FrameTooLargeError */
  send(message: SupervisorMessage): void {
    this.#channel.send(message);
  }

  /** The process is to end itself with all that it has started in so many ms; null: it may live on. The newest call counts. */
  endBy(remainingMs: number | null): void {
    const deadline = remainingMs === null ? null : sinceBootMs() + remainingMs;
    const former = this.#deadline;
    if (deadline === former) return;
    if (deadline !== null && former !== null && Math.abs(deadline - former) < deadlineStepMs) return;
    const lifeline = this.#child.stdio[lifelineFd] as Writable | null | undefined;
    // One that reads nothing is stopped, and keeps the earlier deadline.
    if (lifeline === null || lifeline === undefined || lifeline.destroyed || lifeline.writableNeedDrain) return;
    this.#deadline = deadline;
    lifeline.write(deadlineLine(deadline));
  }

  drained(): Promise<void> {
    return this.#channel.drained();
  }

  /** What lives of its tree, itself included, as far as it shows without reading environments. */
  members(table: ProcessTable): readonly TreeMember[] {
    const members = treeMembers(table, this.#traces(), null);
    this.#remember(members);
    this.#forget(table);
    return members;
  }

  /**
   * Kills the process and everything it has started.
   *
   * @returns the ids of those that could not be proved gone; empty when all are
   */
  async end(): Promise<readonly number[]> {
    if (!hasProcessTable()) return this.#endGroup();
    const left = await this.#endTree();
    if (left.length > 0) return left;
    if (this.pid !== 0) await this.ended;
    this.#channel.close();
    return [];
  }

  /** Kills what the process has started, and not itself. */
  async endOffspring(): Promise<readonly number[]> {
    return hasProcessTable() ? this.#endTree(this.pid) : [];
  }

  /** All that was ever found to lead a group here. */
  get owned(): readonly ProcessId[] {
    return [...this.#known.values()];
  }

  #take(message: ProcessMessage): void {
    switch (message.type) {
      case 'ready':
        this.#ready.resolve();
        break;
      case 'unfit':
        this.#ready.reject(new Error(message.message));
        break;
      case 'alive':
        this.rssBytes = message.rssBytes;
        break;
    }
    this.#listener(message);
  }

  async #watchStart(): Promise<void> {
    const timer = new AbortController();
    const { clock } = this.#options;
    const late = clock.sleep(START_LIMIT_MS, timer.signal).then(
      () => `it was not ready within ${START_LIMIT_MS} ms`,
      () => '',
    );
    const died = this.ended.then((end) => `it ended at its start: ${describeEnd(end)}. ${this.output.text}`);
    const problem = await Promise.race([
      this.ready.then(
        () => null,
        () => null,
      ),
      late,
      died,
    ]);
    timer.abort();
    if (problem !== null) this.#ready.reject(new Error(`a job process is no use: ${problem}`));
  }

  #note(): void {
    if (this.pid === 0) return;
    this.#startTicks = hasProcessTable() ? (readProcess(this.pid)?.startTicks ?? null) : 0;
    if (this.#startTicks !== null) this.#own([{ pid: this.pid, startTicks: this.#startTicks }]);
  }

  #own(processes: readonly ProcessId[]): void {
    for (const process of processes) this.#known.set(process.pid, process);
    this.#options.onOwned(processes);
  }

  #remember(members: readonly TreeMember[]): void {
    const leaders = members.filter(({ isLeader, pid }) => isLeader && !this.#known.has(pid));
    if (leaders.length > 0) this.#own(leaders.map(({ pid, startTicks }) => ({ pid, startTicks })));
  }

  /** A job may start any number of commands: the groups that are over are not kept (I7). */
  #forget(table: ProcessTable): void {
    const led = new Set([...table.values()].flatMap(({ group, session }) => [group, session]));
    const over = this.owned.filter(({ pid }) => pid !== this.pid && !led.has(pid));
    if (over.length === 0) return;
    for (const { pid } of over) this.#known.delete(pid);
    this.#options.onDisowned(over);
  }

  #traces(): TreeTraces {
    const { mark } = this.#options;
    return {
      known: this.owned,
      ownsMark: (found) => found === mark,
      notBeforeTicks: this.#startTicks ?? Number.POSITIVE_INFINITY,
    };
  }

  #endTree(except?: number): Promise<readonly number[]> {
    return endTree(() => this.#traces(), {
      clock: this.#options.clock,
      onFound: (members) => this.#remember(members),
      ...(except === undefined ? {} : { except }),
    });
  }

  /** Best effort: processes that left the group are not found. */
  async #endGroup(): Promise<readonly number[]> {
    if (this.pid === 0) return [];
    const { clock } = this.#options;
    const deadline = clock.monotonic() + START_LIMIT_MS;
    if (this.#end === null || isGroupAlive(this.pid)) killGroup(this.pid);
    while (isGroupAlive(this.pid) && this.#end === null && clock.monotonic() < deadline) await clock.sleep(20);
    this.#channel.close();
    return this.#end === null ? [this.pid] : [];
  }
}

/** For people: `signal SIGKILL`, `exit code 1`. */
export function describeEnd({ signal, exitCode }: ProcessEnd): string {
  if (signal !== null) return `signal ${signal}`;
  return exitCode === null ? 'it did not start' : `exit code ${exitCode}`;
}
