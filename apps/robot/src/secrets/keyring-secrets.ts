/** Secrets from the system's keyring (Keychain, Credential Manager, Secret Service), service `casare-robot`. */
import { messageOf } from '../message-of.ts';
import { type SecretProvider, SecretProviderError } from './secret-providers.ts';

const service = 'casare-robot';

/** What is used of `@napi-rs/keyring`, an optional peer. */
export interface Keyring {
  readonly AsyncEntry: new (service: string, name: string) => { getPassword(): Promise<string | null> };
}

export function keyringSecrets(load: () => Promise<Keyring> = () => import('@napi-rs/keyring')): SecretProvider {
  return {
    describe: () => `the keyring (service ${service})`,
    async get(id) {
      const { AsyncEntry } = await loadKeyring(load);
      try {
        return (await new AsyncEntry(service, id).getPassword()) ?? undefined;
      } catch (error) {
        throw new SecretProviderError(`The keyring could not be asked for the secret "${id}": ${messageOf(error)}.`);
      }
    },
  };
}

async function loadKeyring(load: () => Promise<Keyring>): Promise<Keyring> {
  try {
    return await load();
  } catch (error) {
    throw new SecretProviderError(
      `The secret provider "keyring" needs the package @napi-rs/keyring, which is not usable here (${messageOf(error).split('\n')[0]}): ` +
        'install it beside the robot, or take "keyring" out of secrets.providers.',
    );
  }
}
