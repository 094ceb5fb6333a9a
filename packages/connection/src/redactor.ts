/** Keeps secrets out of whatever leaves the package: messages, details, causes (I8). */
import { inspect } from 'node:util';

import { readField } from './safe-read.ts';

const MASK = '[redacted]';

/** A JSON Web Token, whoever issued it: three parts, of which the first two are JSON objects. */
const ANY_JWT = /eyJ[\w-]{5,}\.eyJ[\w-]{5,}\.[\w-]*/g;

/** Secrets that were given out later (tokens) are remembered up to this number; the oldest are long expired. */
const MOST_SECRETS = 64;

const SHORTEST_TOKEN = 6;

/** Messages longer than this are cut: a server may answer with a whole page. */
const LONGEST_TEXT = 500;

export class Redactor {
  readonly #fixed: readonly string[];
  #added: readonly string[] = [];

  constructor(secrets: readonly string[]) {
    this.#fixed = spellings(secrets);
  }

  /** From now on this is a secret, too. What is too short for a token would only make holes in every message. */
  add(secret: string): void {
    if (secret.length < SHORTEST_TOKEN || this.#added.includes(secret)) return;
    this.#added = [...this.#added, ...spellings([secret])].slice(-MOST_SECRETS);
  }

  text(value: string): string {
    let clean = value;
    for (const secret of [...this.#fixed, ...this.#added]) clean = clean.replaceAll(secret, MASK);
    clean = clean.replaceAll(ANY_JWT, MASK);
    return clean.length > LONGEST_TEXT ? `${clean.slice(0, LONGEST_TEXT)}...` : clean;
  }

  /** The error itself when nothing in it is secret; otherwise a copy of its chain's names, codes and cleaned messages. */
  cause(error: unknown): unknown {
    const shown = shownSafely(error);
    return shown !== undefined && !this.#exposes(shown) ? error : this.#copy(error, 0);
  }

  #exposes(shown: string): boolean {
    return shown.search(ANY_JWT) >= 0 || [...this.#fixed, ...this.#added].some((secret) => shown.includes(secret));
  }

  #copy(error: unknown, depth: number): unknown {
    if (!isError(error)) return MASK;
    const [name, message, code, cause] = ['name', 'message', 'code', 'cause'].map((field) => readField(error, field));
    const copy = new Error(typeof message === 'string' ? this.text(message) : MASK);
    copy.name = typeof name === 'string' ? this.text(name) : 'Error';
    copy.stack = `${copy.name}: ${copy.message}`;
    if (typeof code === 'string') Object.assign(copy, { code: this.text(code) });
    if (cause !== undefined && depth < 8) copy.cause = this.#copy(cause, depth + 1);
    return copy;
  }
}

/** As it is, as it stands in a URL or its query, and as it stands in JSON. */
function spellings(secrets: readonly string[]): readonly string[] {
  const each = secrets.flatMap((secret) => [
    secret,
    encodeURIComponent(secret.toWellFormed()),
    new URLSearchParams([['', secret]]).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
  ]);
  return [...new Set(each)];
}

/** Undefined for what cannot be looked at: it may hide anything. */
function shownSafely(error: unknown): string | undefined {
  try {
    return inspect(error, { depth: 8, breakLength: Number.POSITIVE_INFINITY });
  } catch {
    return undefined;
  }
}

function isError(value: unknown): boolean {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}
