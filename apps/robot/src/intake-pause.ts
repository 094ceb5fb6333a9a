/**
 * Whether the robot takes new jobs: open, or paused by a person, with a note and perhaps an end. Kept in
 * `pause.json` of the robot's home, so that a restart does not undo it.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ArgumentError, type Clock, type Logger } from '@casare/execution';
import type { Redactor } from '@casare/observability';
import { readJson, writeJsonDurably } from './home-folder.ts';
import { redactedRequest } from './redacted-request.ts';
import { type Requester, requireRequester } from './requester.ts';

export interface PauseOptions extends Requester {
  /** Why; shown with the status. At most 500 characters. Default none. */
  readonly note?: string | null;
  /** Ms after which the robot resumes by itself. Default: it does not. */
  readonly timeoutMs?: number | null;
}

export interface ResumeOptions extends Requester {
  /** Why; recorded. At most 500 characters. Default none. */
  readonly note?: string | null;
}

export interface Pause {
  readonly note: string | null;
  /** Wall-clock ms. */
  readonly since: number;
  /** Wall-clock ms at which it ends by itself; null: it does not. */
  readonly until: number | null;
}

/** What was done, by whom. */
export type PauseChange =
  | { readonly kind: 'paused'; readonly pause: Pause; readonly requester: Requester }
  | { readonly kind: 'resumed'; readonly note: string | null; readonly requester: Requester };

export interface IntakePauseOptions {
  readonly home: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes secrets out of what people write. */
  readonly redactor: Pick<Redactor, 'text'>;
  /** Called after every change. */
  readonly onChange: (change: PauseChange) => void;
}

const maxNote = 500;
const timeIsOver = 'its time is over';
/** Longer waits are cut into these, because timers cannot wait longer than about 24 days. */
const longestSleepMs = 86_400_000;

export class IntakePause {
  readonly #options: IntakePauseOptions;
  readonly #path: string;
  #pause: Pause | null = null;
  #timer: AbortController | null = null;
  #isStopping = false;

  private constructor(options: IntakePauseOptions) {
    this.#options = options;
    this.#path = join(options.home, 'pause.json');
  }

  /** @throws HomeError when `pause.json` is no pause */
  static async load(options: IntakePauseOptions): Promise<IntakePause> {
    const pause = new IntakePause(options);
    const stored = await readJson(pause.#path);
    if (stored !== undefined) await pause.#takeUp(stored);
    return pause;
  }

  /** Null while the robot takes jobs. */
  get current(): Pause | null {
    const pause = this.#pause;
    // Once more: a secret may have become known since the note was written.
    return pause === null ? null : { ...pause, note: this.#clean(pause.note) };
  }

  /** Ms until a pause ends by itself; null when there is none, or it does not. */
  get remainingMs(): number | null {
    const until = this.#pause?.until ?? null;
    return until === null ? null : Math.max(0, until - this.#options.clock.now());
  }

  /**
   * Pauses, or replaces note and end of a pause. Resolves when it survives a restart.
   *
   * @throws ArgumentError for a note that is too long, or a timeout that is no time
   */
  async pause(options: PauseOptions = {}): Promise<void> {
    const { note = null, timeoutMs = null } = options;
    requireNote(note);
    requireRequester(options);
    if (timeoutMs !== null && !(Number.isSafeInteger(timeoutMs) && timeoutMs > 0)) {
      throw new ArgumentError('timeoutMs', 'a whole number of ms above 0, or null for none', timeoutMs);
    }
    const now = this.#options.clock.now();
    const pause: Pause = {
      note: this.#clean(note),
      since: this.#pause?.since ?? now,
      until: timeoutMs === null ? null : now + timeoutMs,
    };
    await writeJsonDurably(this.#path, pause);
    this.#set(pause, { kind: 'paused', pause, requester: this.#requester(options) });
    this.#options.logger.log('info', `paused: no new jobs are taken, running ones go on${describe(pause)}`);
  }

  /**
   * Resolves with whether there was a pause.
   *
   * @throws ArgumentError for a note that is too long
   */
  async resume(options: ResumeOptions = {}): Promise<boolean> {
    const { note = null } = options;
    requireNote(note);
    requireRequester(options);
    if (this.#pause === null) return false;
    await rm(this.#path, { force: true });
    this.#set(null, { kind: 'resumed', note: this.#clean(note), requester: this.#requester(options) });
    const from = this.#isStopping ? ' from the next start on: the robot stops' : '';
    this.#options.logger.log('info', `resumed: new jobs are taken again${from}`);
    return true;
  }

  /** The robot takes no new jobs before its next start, paused or not. */
  stopping(): void {
    this.#isStopping = true;
  }

  /** Ends the timer; the pause itself stays. */
  close(): void {
    this.#timer?.abort();
  }

  async #takeUp(stored: unknown): Promise<void> {
    const { note = null, since, until = null } = (stored ?? {}) as Partial<Pause>;
    const { clock, logger } = this.#options;
    const isPause =
      typeof since === 'number' &&
      (note === null || typeof note === 'string') &&
      (until === null || typeof until === 'number');
    if (!isPause) {
      logger.log('warning', `${this.#path} is no pause that this robot wrote; it stays paused until it is resumed`);
      const unknown: Pause = { note: null, since: clock.now(), until: null };
      this.#set(unknown, { kind: 'paused', pause: { ...unknown, note: 'pause.json is damaged' }, requester: {} });
      return;
    }
    if (until !== null && until <= clock.now()) {
      await rm(this.#path, { force: true });
      this.#set(null, { kind: 'resumed', note: timeIsOver, requester: {} });
      logger.log('info', 'a pause of an earlier run is over; new jobs are taken');
      return;
    }
    const pause: Pause = { note: this.#clean(note), since, until };
    this.#set(pause, null);
    logger.log(
      'warning',
      `still paused since ${new Date(since).toISOString()}: no new jobs are taken${describe(pause)}`,
    );
  }

  #clean(note: string | null): string | null {
    return note === null ? null : this.#options.redactor.text(note);
  }

  #requester({ requestedBy = null, requestedFrom = null }: Requester): Requester {
    return redactedRequest({ requestedBy, requestedFrom }, this.#options.redactor);
  }

  /** @param change what is told of it; null: nothing has changed since the last run */
  #set(pause: Pause | null, change: PauseChange | null): void {
    this.#timer?.abort();
    this.#timer = null;
    this.#pause = pause;
    if (pause?.until != null) {
      this.#timer = new AbortController();
      void this.#resumeAt(this.#timer.signal);
    }
    if (change !== null) this.#options.onChange(change);
  }

  async #resumeAt(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    try {
      for (let left = this.remainingMs ?? 0; left > 0; left = this.remainingMs ?? 0) {
        await clock.sleep(Math.min(left, longestSleepMs), signal);
      }
      if (signal.aborted) return;
      logger.log('info', 'the pause is over');
      await this.resume({ note: timeIsOver });
    } catch (error) {
      if (!signal.aborted) logger.log('error', `the end of a pause met a problem: ${String(error)}`);
    }
  }
}

function requireNote(note: unknown): void {
  if (note === null || (typeof note === 'string' && note.length <= maxNote)) return;
  throw new ArgumentError('note', `a text of at most ${maxNote} characters`, note);
}

function describe({ note, until }: Pause): string {
  const end = until === null ? '' : ` until ${new Date(until).toISOString()}`;
  return `${end}${note === null ? '' : ` (${note})`}`;
}
