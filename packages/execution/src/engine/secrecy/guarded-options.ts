/** A run's options, with its own knowledge of secrets joined to what the embedder knows (I8). */
import type { RunOptions } from '../run-options.ts';
import type { RunSecrets } from './run-secrets.ts';

/** The run learns every secret before a node gets it, and takes what it knows out of every text that leaves it. */
export function guardedOptions(options: RunOptions, secrets: RunSecrets): RunOptions {
  const { secrets: source, redact } = options;
  const guarded: RunOptions = {
    ...options,
    redact: (text) => {
      const shown = secrets.redact(text);
      return redact === undefined ? shown : redact(shown);
    },
  };
  if (source === undefined) return guarded;
  const get = async (id: string): Promise<string | undefined> => {
    const value = await source.get(id);
    if (value !== undefined) secrets.learn(value);
    return value;
  };
  const { describe } = source;
  return {
    ...guarded,
    secrets: describe === undefined ? { get } : { get, describe: (id) => describe.call(source, id) },
  };
}
