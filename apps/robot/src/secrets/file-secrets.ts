/**
 * Secrets from a JSON file that only its owner can read: `{"id": "value", "crm": {"user": "...", "password": "..."}}`;
 * `crm.password` names a value inside. It is read anew for each secret, so that a changed one counts at once.
 */
import { open } from 'node:fs/promises';
import { type SecretProvider, SecretProviderError } from './secret-providers.ts';

const maxBytes = 1024 * 1024;

export function fileSecrets(file: string): SecretProvider {
  return {
    describe: () => `the file ${file}`,
    async get(id) {
      const text = await readPrivateFile(file);
      return text === null ? undefined : secretIn(parse(text, file), id);
    },
    async list() {
      const text = await readPrivateFile(file);
      return text === null ? [] : valuesIn(parse(text, file));
    },
  };
}

/** Null when there is no such file. The file that is checked is the file that is read: one descriptor for both. */
async function readPrivateFile(file: string): Promise<string | null> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new SecretProviderError(`The file of secrets ${file} cannot be read: ${(error as Error).message}.`);
  }
  try {
    const { mode, uid, size } = await handle.stat();
    const ownUid = process.getuid?.();
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new SecretProviderError(
        `The file of secrets ${file} can be read by others, so it is not used: run chmod 600 ${file}.`,
      );
    }
    if (ownUid !== undefined && uid !== ownUid && uid !== 0) {
      throw new SecretProviderError(
        `The file of secrets ${file} belongs to another user, so it is not used: run chown for it.`,
      );
    }
    if (size > maxBytes) throw new SecretProviderError(`The file of secrets ${file} is larger than 1 MB.`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** A syntax error's own message may quote the text, so it is not passed on. */
function parse(text: string, file: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
      return parsed as Readonly<Record<string, unknown>>;
    }
  } catch {}
  throw new SecretProviderError(`The file of secrets ${file} must hold one JSON object of names and values.`);
}

function secretIn(secrets: Readonly<Record<string, unknown>>, id: string): string | undefined {
  if (Object.hasOwn(secrets, id)) return textOf(secrets[id]);
  const dot = id.indexOf('.');
  if (dot <= 0) return undefined;
  const inner = Object.hasOwn(secrets, id.slice(0, dot)) ? secrets[id.slice(0, dot)] : undefined;
  return typeof inner === 'object' && inner !== null
    ? secretIn(inner as Readonly<Record<string, unknown>>, id.slice(dot + 1))
    : undefined;
}

function valuesIn(secrets: unknown): readonly string[] {
  const value = textOf(secrets);
  if (value !== undefined) return [value];
  return typeof secrets === 'object' && secrets !== null ? Object.values(secrets).flatMap(valuesIn) : [];
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
