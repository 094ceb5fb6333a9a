/** A robot without the service key: it signs in as its own user, works, and survives a wrong password. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@casare/testing';
import { expect, it, onTestFinished } from 'vitest';
import { startCommand } from './support/command.ts';
import { operatorOf } from './support/operator.ts';
import { type PooledSupabase, pooledSupabase } from './support/pooled-supabase.ts';
import { temporaryFolder } from './support/robot-home.ts';
import { appendLine, chain } from './support/workflows.ts';

const email = 'robot-seven@example.com';
const password = 'hush: a password with spaces';

async function signUp(server: PooledSupabase): Promise<string> {
  const response = await fetch(`${server.url}/auth/v1/signup`, {
    method: 'POST',
    headers: { apikey: server.anonKey, 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  });
  const answer = (await response.json()) as { id?: string; user?: { id: string } };
  return answer.user?.id ?? answer.id ?? '';
}

it('the daemon runs a job under the sign-in of its robot, once its user exists', async () => {
  const server = await pooledSupabase();
  onTestFinished(() => server.stop());
  const robotId = randomUUID();
  const home = temporaryFolder();
  const robot = startCommand(['start'], {
    env: {
      SUPABASE_URL: server.url,
      SUPABASE_KEY: server.anonKey,
      CASARE_CONNECTION_EMAIL: email,
      CASARE_CONNECTION_PASSWORD: password,
      CASARE_CONNECTION_AUTH_RETRY_INTERVAL_MS: '300',
      CASARE_CONNECTION_MAX_DELAY_MS: '1000',
      CASARE_ROBOT_ID: robotId,
      CASARE_HOME: home,
      CASARE_JOB_EXECUTION_POLL_INTERVAL_MS: '100',
    },
  });
  onTestFinished(() => robot.kill());
  const said = (): string => [...robot.lines, ...robot.errors].join('\n');
  await eventually('the refusal is loud', () => said().includes('Invalid login credentials'), { timeoutMs: 60_000 });

  const userId = await signUp(server);
  await server.sql('insert into robots (id, name, auth_user_id) values ($1, $2, $3)', [robotId, 'Seven', userId]);
  const operator = await operatorOf(server);
  onTestFinished(() => operator.close());
  const jobId = await operator.submit(chain('signed-in', [appendLine('one', 'one.txt', 'one')]));
  expect(await operator.ended(jobId)).toMatchObject({ status: 'completed', claimed_by: robotId });
  expect(existsSync(join(home, 'work', jobId, 'one.txt'))).toBe(true);

  robot.signal('SIGTERM');
  expect(await robot.ended).toBe(0);
  expect(said()).not.toContain('hush');
  expect(said()).not.toMatch(/eyJ[\w-]+\.eyJ/);
});
