import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fileSecrets } from './file-secrets.ts';
import { keyringSecrets } from './keyring-secrets.ts';
import { environmentSecrets } from './secret-providers.ts';
import { secretStore } from './secret-store.ts';

function secretsFile(content: string, mode = 0o600): string {
  const folder = mkdtempSync(join(tmpdir(), 'casare-secrets-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'secrets.json');
  writeFileSync(file, content, { mode });
  chmodSync(file, mode);
  return file;
}

const messageOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'nothing',
    (error: Error) => error.message,
  );

describe('the environment', () => {
  it('has a secret under its id in capitals', async () => {
    const secrets = environmentSecrets({ CASARE_SECRET_CRM_PASSWORD: 'x1', CASARE_SECRET_A: '' });
    expect(await secrets.get('crm.password')).toBe('x1');
    expect(await secrets.get('crm-password')).toBe('x1');
    expect(await secrets.get('a')).toBe('');
    expect(await secrets.get('other')).toBeUndefined();
    expect(await environmentSecrets({ CASARE_SECRET_A: 'x1', OTHER: 'x2' }).list?.()).toEqual(['x1']);
  });
});

describe('a file of secrets', () => {
  it('has values by name, also inside of others', async () => {
    const secrets = fileSecrets(secretsFile('{"api": "k1", "crm": {"user": "ann", "pin": 12}, "a.b": "dotted"}'));
    expect(await secrets.get('api')).toBe('k1');
    expect(await secrets.get('crm.user')).toBe('ann');
    expect(await secrets.get('crm.pin')).toBe('12');
    expect(await secrets.list?.()).toEqual(['k1', 'ann', '12', 'dotted']);
    expect(await secrets.get('a.b')).toBe('dotted');
    for (const id of ['crm', 'crm.none', 'none', 'api.x', '__proto__', 'constructor']) {
      expect(await secrets.get(id), id).toBeUndefined();
    }
  });

  it('need not be there', async () => {
    expect(await fileSecrets('/no/such/file.json').get('x')).toBeUndefined();
  });

  it.runIf(process.platform !== 'win32').each([0o640, 0o604, 0o622])(
    'with the mode %o is refused, with the remedy',
    async (mode) => {
      const file = secretsFile('{"api": "hush"}', mode);
      const message = await messageOf(fileSecrets(file).get('api'));
      expect(message).toContain(`chmod 600 ${file}`);
      expect(message).not.toContain('hush');
    },
  );

  it.each(['{"api": "hush"', '["hush"]', '"hush"'])(
    'that holds no object is refused, and not quoted: %s',
    async (content) => {
      const message = await messageOf(fileSecrets(secretsFile(content)).get('api'));
      expect(message).toContain('must hold one JSON object');
      expect(message).not.toContain('hush');
    },
  );
});

describe('the keyring', () => {
  it('is asked for the service casare-robot', async () => {
    class AsyncEntry {
      readonly #place: string;
      constructor(service: string, name: string) {
        this.#place = `${service}/${name}`;
      }
      getPassword = async (): Promise<string | null> => (this.#place === 'casare-robot/api' ? 'k2' : null);
    }
    const secrets = keyringSecrets(async () => ({ AsyncEntry }));
    expect(await secrets.get('api')).toBe('k2');
    expect(await secrets.get('other')).toBeUndefined();
  });

  it('without its package says what to install', async () => {
    const secrets = keyringSecrets(() => Promise.reject(new Error("Cannot find package '@napi-rs/keyring'")));
    expect(await messageOf(secrets.get('api'))).toMatch(
      /install it beside the robot, or take "keyring" out of secrets\.providers/,
    );
  });
});

describe('the store of secrets', () => {
  it('asks in order, tells the redactor, and says where it looked', async () => {
    const told: string[] = [];
    const store = secretStore({
      providers: [
        environmentSecrets({ CASARE_SECRET_A: 'first' }),
        fileSecrets(secretsFile('{"a": "second", "b": "third"}')),
      ],
      onResolved: (value) => told.push(value),
    });
    expect([await store.get('a'), await store.get('b'), await store.get('c')]).toEqual(['first', 'third', undefined]);
    expect(told).toEqual(['first', 'third']);
    expect(store.describe?.('c')).toMatch(
      /^the environment variable CASARE_SECRET_C, then in the file \/.*secrets\.json$/,
    );
  });
});
