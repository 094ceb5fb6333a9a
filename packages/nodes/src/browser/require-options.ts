/** Options of callers without a type checker. */
import { invalidArgument } from '../errors.ts';

const kinds = { string: 'a text', boolean: 'true or false', function: 'a function' } as const;

/** @throws NodeError `INVALID_ARGUMENT` unless it is left out or of this kind */
export function requireKind(name: string, value: unknown, kind: keyof typeof kinds): void {
  if (value !== undefined && typeof value !== kind) throw invalidArgument(`${name} must be ${kinds[kind]}`);
}

/** What the search for a browser takes. @throws NodeError `INVALID_ARGUMENT` */
export function requireSearchOptions(options: object): void {
  if (typeof options !== 'object' || options === null) throw invalidArgument('options must be an object');
  for (const name of ['executablePath', 'browserType', 'channel', 'cacheDir'])
    requireKind(name, Reflect.get(options, name), 'string');
}
