/**
 * Whether a segment has the name that its writer gave it. A name is not hashed, so this holds it against what is within.
 * These hold for whatever the writer leaves, however the wall clock is set:
 *
 * - N1 every signed record names the segment's number
 * - N2 no entry is of a later day than the name: at the end of its day a segment is over
 * - N3 the first entry is of the day in the name, or a signed opened mark before it says that day (the clock was set back), or
 *   the segment before has the same day
 * - N4 numbers go up by one, and days do not go back, from one segment to the next
 */
import { dayText } from './chain-line.ts';
import type { SegmentRecord } from './signed-records.ts';

export interface NamedSegment {
  readonly name: string;
  readonly segment: number;
  readonly day: string;
}

/** The segment before; `day` is null where retention removed it, or there was none. */
export interface FormerSegment {
  readonly segment: number;
  readonly day: string | null;
}

/** N4; null when all is well, or nobody knows what came before. */
export function orderFault(former: FormerSegment | null, { segment, day }: NamedSegment): string | null {
  if (former === null) return null;
  if (segment === former.segment) return `two files are named as segment ${segment}`;
  if (segment !== former.segment + 1)
    return `the file is named as segment ${segment}, and segment ${former.segment + 1} is due here`;
  if (former.day !== null && day < former.day)
    return `the file is named for ${day}, and the segment before it for ${former.day}`;
  return null;
}

export class NameCheck {
  #former: FormerSegment | null;
  #file: NamedSegment | null = null;
  #isToldOf = false;
  #hasEntry = false;
  #isDayWitnessed = false;
  /** Of the latest entry in the file. */
  #newest: Buffer | null = null;

  constructor(former: FormerSegment | null) {
    this.#former = former;
  }

  /** Day of the latest entry in the file; null without any. */
  get newestDay(): string | null {
    return this.#newest === null ? null : dayText(this.#newest, 0);
  }

  get former(): FormerSegment | null {
    if (this.#file === null) return this.#former;
    // What is named wrongly says nothing about its neighbours.
    return this.#isToldOf ? null : { segment: this.#file.segment, day: this.#file.day };
  }

  begin(file: NamedSegment): void {
    this.#former = this.former;
    this.#file = file;
    this.#isToldOf = false;
    this.#hasEntry = false;
    this.#isDayWitnessed = false;
    this.#newest = null;
  }

  /** Each of these gives what is wrong, once for a file; null: nothing. `isLinked`: the chain goes on with this entry. */
  entry(bytes: Buffer, dayAt: number, isLinked: boolean): string | null {
    const isFirst = !this.#hasEntry;
    this.#hasEntry = true;
    const order = isFirst && isLinked ? this.#orderFault() : null;
    if (dayAt < 0 || (this.#newest !== null && compareDays(bytes, dayAt, this.#newest) <= 0)) return order;
    this.#newest = Buffer.from(bytes.subarray(dayAt, dayAt + 10));
    return order ?? this.#tell(this.#dayFault(dayText(bytes, dayAt), isFirst));
  }

  record({ kind, facts }: SegmentRecord): string | null {
    const { segment = 0, day = '' } = this.#file ?? {};
    if (kind === 'opened') {
      this.#isDayWitnessed ||= facts.day === day;
      if (facts.day !== day && facts.segment === segment)
        return this.#tell(`the file is named for ${day}, and was begun for ${facts.day}`);
    }
    if (facts.segment === segment) return null;
    return this.#tell(`the file is named as segment ${segment}, but was written as segment ${facts.segment}`);
  }

  end(): string | null {
    return this.#hasEntry ? null : this.#orderFault();
  }

  #dayFault(day: string, isFirst: boolean): string | null {
    const { day: named = '' } = this.#file ?? {};
    if (day > named) return `the file is named for ${named}, but has an entry of ${day}`;
    if (!isFirst || day === named || this.#isDayWitnessed || this.#former?.day === named) return null;
    return `the file is named for ${named}, but begins on ${day}`;
  }

  #orderFault(): string | null {
    return this.#file === null ? null : this.#tell(orderFault(this.#former, this.#file));
  }

  #tell(what: string | null): string | null {
    if (what === null || this.#isToldOf) return null;
    this.#isToldOf = true;
    return `${what}: it was renamed, copied or moved`;
  }
}

function compareDays(bytes: Buffer, dayAt: number, day: Buffer): number {
  for (let index = 0; index < day.length; index += 1) {
    const difference = (bytes[dayAt + index] as number) - (day[index] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}
