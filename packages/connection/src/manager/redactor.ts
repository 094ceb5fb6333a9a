/** Keeps secrets out of whatever leaves the package: messages, details, causes (I8). */
import { inspect } from 'node:util';

const MASK = '[redacted]';

/** Messages longer than this are cut: a server may answer with a whole page. */
const LONGEST_TEXT = 500;

export class Redactor {
  readonly #secrets: readonly string[];

  constructor(secrets: readonly string[]) {
    this.#secrets = [...new Set(secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]))];
  }

  text(value: string): string {
    let clean = value;
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, MASK);
    return clean.length > LONGEST_TEXT ? `${clean.slice(0, LONGEST_TEXT)}...` : clean;
  }

  /** The error itself when nothing in it is secret; otherwise a copy of its chain's names, codes and cleaned messages. */
  cause(error: unknown): unknown {
    if (!this.#exposes(inspect(error, { depth: 8, breakLength: Number.POSITIVE_INFINITY }))) return error;
    return this.#copy(error, 0);
  }

  #exposes(shown: string): boolean {
    return this.#secrets.some((secret) => shown.includes(secret));
  }

  #copy(error: unknown, depth: number): unknown {
    if (!(error instanceof Error)) return MASK;
    const copy = new Error(this.text(error.message));
    copy.name = this.text(error.name);
    copy.stack = `${copy.name}: ${copy.message}`;
    const { code } = error as { code?: unknown };
    if (typeof code === 'string') Object.assign(copy, { code: this.text(code) });
    if (error.cause !== undefined && depth < 8) copy.cause = this.#copy(error.cause, depth + 1);
    return copy;
  }
}
