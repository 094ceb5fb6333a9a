/** How a robot's own sign-in is configured. */
import { inspect } from 'node:util';
import { describe, expect, it, test } from 'vitest';
import { ConfigError, loadConfig, RobotConfig, redactConfig } from '../src/index.ts';

const load = (env: Record<string, string>) =>
  loadConfig({
    env: { SUPABASE_URL: 'https://x.supabase.co', SUPABASE_KEY: 'anon', ...env },
    homedir: '/nowhere',
    cwd: '/run',
  });

function refusal(env: Record<string, string>): ConfigError {
  try {
    load(env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const user = { CASARE_CONNECTION_EMAIL: 'robot@example.com', CASARE_CONNECTION_PASSWORD: 'two words, ä' };

describe('a sign-in', () => {
  it('is an email address and a password, which may have any characters', () => {
    const { connection } = load(user).config;
    expect(connection).toMatchObject({ email: 'robot@example.com', password: 'two words, ä', key: 'anon' });
  });

  it('may be a JWT, or a file that holds one', () => {
    expect(load({ CASARE_CONNECTION_JWT: 'a.b.c' }).config.connection.jwt).toBe('a.b.c');
    expect(load({ CASARE_CONNECTION_JWT_FILE: 'robot.jwt' }).config.connection.jwtFile).toBe('/run/robot.jwt');
  });

  it('lacking its other half is refused, naming that', () => {
    expect(refusal({ CASARE_CONNECTION_EMAIL: 'a@b' }).message).toMatch(/connection\.password is not set/);
    expect(refusal({ CASARE_CONNECTION_PASSWORD: 'hush' }).message).toMatch(
      /^(?!.*hush).*connection\.email is not set/s,
    );
  });

  it('in two ways at once is refused, naming both', () => {
    const two = { ...user, CASARE_CONNECTION_JWT_FILE: 'x' };
    expect(refusal(two).message).toMatch(/connection\.email and connection\.jwtFile must not both be set/);
    expect(refusal({ CASARE_CONNECTION_JWT: 'hush', CASARE_CONNECTION_JWT_FILE: 'x' }).message).toMatch(
      /^(?!.*hush).*connection\.jwt and connection\.jwtFile/s,
    );
  });
});

test('no password and no JWT is shown', () => {
  const config = new RobotConfig({ connection: { password: 'hush-1', jwt: 'hush-2' } });
  for (const shown of [inspect(config), JSON.stringify(config), inspect(redactConfig(config))]) {
    expect(shown).not.toContain('hush');
    expect(shown).toContain('***');
  }
  expect(inspect(load(user).entries())).not.toContain('two words');
});
