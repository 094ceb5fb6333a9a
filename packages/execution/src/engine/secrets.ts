/** Secrets of one node: fetched when it runs, never stored (I8). */
import { NodeError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { isSecretReference, referenceText } from '../model/reference-path.ts';
import { referencesIn } from '../model/templates.ts';
import type { SecretSource } from './run-options.ts';

export const noSecrets: ReadonlyMap<string, string> = new Map();

/** @throws NodeError `SECRET_UNAVAILABLE` naming the secret (never its value) */
export async function fetchSecrets(
  config: JsonObject,
  source: SecretSource | undefined,
): Promise<ReadonlyMap<string, string>> {
  const ids = new Set<string>();
  collectIds(config, ids);
  if (ids.size === 0) return noSecrets;
  const secrets = new Map<string, string>();
  for (const id of ids) secrets.set(id, await fetchSecret(id, source));
  return secrets;
}

/** @throws NodeError `SECRET_UNAVAILABLE` */
export async function fetchSecret(id: string, source: SecretSource | undefined): Promise<string> {
  const value = await source?.get(id);
  if (value !== undefined) return value;
  const places = source?.describe?.(id);
  const where = places === undefined ? 'which no secret provider has' : `which was looked for in ${places}`;
  throw new NodeError(`It needs the secret "${id}", ${where}.`, { code: 'SECRET_UNAVAILABLE' });
}

/** `id`, `$secret:id` and `{{$secret:id}}` name the same secret. */
export function secretId(reference: string): string {
  const text = reference.trim();
  const inner = /^\{\{(.*)\}\}$/s.exec(text)?.[1]?.trim() ?? text;
  return inner.startsWith('$secret:') ? inner.slice('$secret:'.length) : inner;
}

function collectIds(value: JsonValue, ids: Set<string>): void {
  if (typeof value === 'string') {
    if (!value.includes('$secret:')) return;
    for (const reference of referencesIn(value)) {
      if (isSecretReference(reference)) ids.add(referenceText(reference).slice('$secret:'.length));
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value as JsonObject)) collectIds(item, ids);
  }
}
