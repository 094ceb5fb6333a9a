/** Which keys tell that what is stored under them is secret, however they are written. */

/** Anywhere in a key, once nothing but its letters and digits is left: `db.Api-Key`, `leaseToken`. */
const telling =
  /password|passwd|passphrase|passcode|secret|token|apikey|servicekey|anonkey|accesskey|privatekey|authorization|cookie|credential/;
/** Only as words of a key, because they are parts of ordinary ones: `author`, `compass`. */
const tellingWords: ReadonlySet<string> = new Set(['pwd', 'jwt', 'oauth', 'bearer']);
/** Behind the word `auth`: what follows is no `authTimeout`. */
const authParts: ReadonlySet<string> = new Set(['header', 'headers', 'key', 'code', 'value', 'data']);
const mostRemembered = 2_000;
const longestRemembered = 64;

export class TellingKeys {
  readonly #own: ReadonlySet<string>;
  readonly #known = new Map<string, boolean>();

  /** @param own keys beside the usual ones */
  constructor(own: readonly string[] = []) {
    this.#own = new Set(own.map(folded));
  }

  tells(key: string): boolean {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const fold = folded(key);
    const tells = telling.test(fold) || this.#own.has(fold) || hasTellingWord(key);
    if (key.length <= longestRemembered) {
      if (this.#known.size >= mostRemembered) this.#known.clear();
      this.#known.set(key, tells);
    }
    return tells;
  }
}

function folded(key: string): string {
  return key.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
}

function hasTellingWord(key: string): boolean {
  const words = key
    .replaceAll(/(?<=[a-z\d])(?=[A-Z])/g, ' ')
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter((word) => word !== '');
  const last = words.at(-1) ?? '';
  const isAuth = last === 'auth' || (words.at(-2) === 'auth' && authParts.has(last));
  return isAuth || (last === 'pass' && words.length > 1) || words.some((word) => tellingWords.has(word));
}
