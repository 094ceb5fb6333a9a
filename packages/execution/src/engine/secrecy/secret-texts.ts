/** Secret values of a program, found in its texts in the forms in which they are usually written (I8). */
import { requireAnyText } from '../../argument-error.ts';
import { RunSecrets } from './run-secrets.ts';

/**
 * @example
 * const secrets = new SecretTexts();
 * secrets.learn('hunter/22');
 * secrets.redact('GET /?key=hunter%2F22'); // 'GET /?key=[redacted]'
 * // Anything but a text is refused with an ArgumentError.
 */
export class SecretTexts {
  readonly #known = new RunSecrets();

  /** Makes one more value secret, from now on. An empty one is ignored. */
  learn(value: string): void {
    requireAnyText('value', value);
    this.#known.learn(value);
  }

  /** The text, with `[redacted]` in the place of every secret: also of its lines, and of long parts and cut heads of it. */
  redact(text: string): string {
    requireAnyText('text', text);
    return this.#known.redact(text);
  }
}
