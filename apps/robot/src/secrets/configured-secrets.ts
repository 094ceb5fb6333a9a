/** The secrets of a robot as its settings name their places, and what is made known of them to a redactor (I8). */
import type { Settings } from '@casare/config';
import { type SecretSource, SecretTexts } from '@casare/execution';
import type { Redactor } from '@casare/observability/redaction';
import { fileSecrets } from './file-secrets.ts';
import { keyringSecrets } from './keyring-secrets.ts';
import { environmentSecrets, type SecretProvider } from './secret-providers.ts';
import { secretStore } from './secret-store.ts';

export type SecretSettings = Pick<Settings, 'robot' | 'secrets'>;

/** Of what nobody has asked for yet: shorter values are too often ordinary words. In characters. */
const shortestUnasked = 6;
const mostUnasked = 1_000;

/**
 * The redactor knows from the start what the environment and the file of secrets hold, and every other secret before a
 * node gets it.
 */
export async function configuredSecrets(settings: SecretSettings, redactor: Redactor): Promise<SecretSource> {
  const providers = settings.secrets.providers.map((provider) => providerOf(provider, settings));
  const known = new SecretTexts();
  redactor.addRule((text) => known.redact(text));
  const learn = (value: string): void => {
    known.learn(value);
    redactor.addValue(value);
  };
  for (const provider of providers) {
    // Why a place cannot be read is told whoever asks for a secret of it.
    const values = (await provider.list?.().catch(() => [])) ?? [];
    for (const value of values.filter(({ length }) => length >= shortestUnasked).slice(0, mostUnasked)) learn(value);
  }
  return secretStore({ providers, onResolved: learn });
}

function providerOf(name: Settings['secrets']['providers'][number], settings: SecretSettings): SecretProvider {
  switch (name) {
    case 'environment':
      // biome-ignore lint/style/noProcessEnv: this provider is about the environment; a secret is no setting
      return environmentSecrets(process.env);
    case 'file':
      return fileSecrets(settings.secrets.file ?? `${settings.robot.home}/secrets.json`);
    case 'keyring':
      return keyringSecrets();
  }
}
