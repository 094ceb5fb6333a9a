/**
 * Whether one run of a node has been given anything secret, by whatever way it asks: parameters, references in its
 * expressions, variables, secrets.
 */
import type { JsonValue } from '../../json.ts';
import type { ReferenceScope } from '../../model/reference-path.ts';
import type { RunSecrets } from './run-secrets.ts';

export class Exposure {
  readonly #secrets: RunSecrets;
  #isExposed = false;

  constructor(secrets: RunSecrets) {
    this.#secrets = secrets;
  }

  get isExposed(): boolean {
    return this.#isExposed;
  }

  expose(): void {
    this.#isExposed = true;
  }

  /** Passes a value on that the node is about to get. */
  see<T>(value: T): T {
    if (!this.#isExposed && this.#secrets.holds(value)) this.#isExposed = true;
    return value;
  }

  /** A scope whose answers are seen. */
  watch(scope: ReferenceScope): ReferenceScope {
    return {
      lookup: (name) => {
        const answer = scope.lookup(name);
        if (answer.found) this.see<JsonValue>(answer.value);
        return answer;
      },
      refuse: (reference) => scope.refuse?.(reference),
    };
  }
}
