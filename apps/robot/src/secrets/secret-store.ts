/** The secrets of a robot: asks its providers in order, and tells the redactor what must never be shown (I8). */
import type { SecretSource } from '@casare/execution';
import type { SecretProvider } from './secret-providers.ts';

export interface SecretStoreOptions {
  readonly providers: readonly SecretProvider[];
  /** Called with every value before a node gets it. */
  readonly onResolved: (value: string) => void;
}

export function secretStore({ providers, onResolved }: SecretStoreOptions): SecretSource {
  return {
    async get(id) {
      for (const provider of providers) {
        const value = await provider.get(id);
        if (value === undefined) continue;
        onResolved(value);
        return value;
      }
      return undefined;
    },
    describe(id) {
      if (providers.length === 0) return 'no place, because secrets.providers is empty';
      return providers.map((provider) => provider.describe(id)).join(', then in ');
    },
  };
}
