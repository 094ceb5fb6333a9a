/** A job's lines as people read them, with what is missing where it is missing. */
import type { JobLogPage, JobLogPosition, LogLevel } from '@casare/execution';
import { formatLine } from '@casare/observability/lines';
import { isoTime } from './time-text.ts';

export interface JobLogViewOptions {
  readonly json: boolean;
  /** Least level. */
  readonly level?: LogLevel;
}

const gravity: readonly LogLevel[] = ['debug', 'info', 'warning', 'error', 'critical'];

export class JobLogView {
  readonly #options: JobLogViewOptions;
  #position: JobLogPosition = { leaseToken: '0', seq: 0 };
  #leases: JobLogPage['leases'] = [];

  constructor(options: JobLogViewOptions) {
    this.#options = options;
  }

  /** Behind the last line that was taken. */
  get position(): JobLogPosition {
    return this.#position;
  }

  /** The lines of the next page; a line in between tells of missing ones and of another attempt. */
  take(page: JobLogPage): string[] {
    this.#leases = page.leases;
    return page.lines.flatMap((line) => {
      const { leaseToken, seq, level } = line;
      const before =
        leaseToken === this.#position.leaseToken ? [] : [...this.#endOfLease(), ...this.#begin(leaseToken)];
      const gap = this.#missing(leaseToken, seq - this.#position.seq - 1);
      this.#position = { leaseToken, seq };
      const isWanted = gravity.indexOf(level) >= gravity.indexOf(this.#options.level ?? 'debug');
      return [...before, ...gap, ...(isWanted ? [this.#show(line)] : [])];
    });
  }

  /** What is missing behind the last line. */
  end(): string[] {
    return this.#endOfLease();
  }

  #endOfLease(): string[] {
    const { leaseToken, seq } = this.#position;
    const lease = this.#leases.find((other) => other.leaseToken === leaseToken);
    return lease === undefined ? [] : this.#missing(leaseToken, lease.nextSeq - seq - 1);
  }

  /** Leases that have no line at all are told by what they miss. */
  #begin(leaseToken: string): string[] {
    const from = this.#leases.findIndex((lease) => lease.leaseToken === this.#position.leaseToken);
    const to = this.#leases.findIndex((lease) => lease.leaseToken === leaseToken);
    const between = this.#leases.slice(from + 1, Math.max(from + 1, to));
    const silent = between.flatMap((lease) => this.#missing(lease.leaseToken, lease.nextSeq - 1));
    this.#position = { leaseToken, seq: 0 };
    const lease = this.#leases[to];
    if (this.#options.json || this.#leases.length < 2 || lease === undefined) return silent;
    return [...silent, `--- attempt ${lease.attempt}${lease.robotName === null ? '' : ` on ${lease.robotName}`} ---`];
  }

  #missing(leaseToken: string, count: number): string[] {
    if (count <= 0) return [];
    if (this.#options.json) return [JSON.stringify({ lease_token: leaseToken, missing: count })];
    return [`... ${count} ${count === 1 ? 'line' : 'lines'} missing ...`];
  }

  #show({ leaseToken, seq, at: toldAt, level, nodeId, message }: JobLogPage['lines'][number]): string {
    const at = isoTime(toldAt) ?? toldAt;
    if (this.#options.json) {
      return JSON.stringify({ lease_token: leaseToken, seq, at, level, node_id: nodeId, message });
    }
    return formatLine({ at: at ?? '', level, message, fields: nodeId === null ? {} : { node_id: nodeId } }, 'human');
  }
}
