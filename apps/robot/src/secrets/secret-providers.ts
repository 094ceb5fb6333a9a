/** Where secrets come from. A provider answers with the value, or undefined when it has none of that name (I8). */

export interface SecretProvider {
  /** Words for the sentence "It was looked for in ...". */
  describe(id: string): string;
  get(id: string): Promise<string | undefined>;
  /** All values that it has, for a redactor; a provider that cannot tell has no such method. */
  list?(): Promise<readonly string[]>;
}

/** A provider that cannot be used, with the remedy. Never holds a value. */
export class SecretProviderError extends Error {
  readonly code = 'SECRET_UNAVAILABLE';
  readonly category = 'permanent';
}

/** `CASARE_SECRET_<ID>`: the id in capitals, with `_` for what is no letter or digit. */
export function environmentSecrets(env: Readonly<Record<string, string | undefined>>): SecretProvider {
  const variable = (id: string): string => `CASARE_SECRET_${id.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
  return {
    describe: (id) => `the environment variable ${variable(id)}`,
    get: async (id) => env[variable(id)],
    list: async () =>
      Object.entries(env).flatMap(([name, value]) =>
        name.startsWith('CASARE_SECRET_') && value !== undefined ? [value] : [],
      ),
  };
}
