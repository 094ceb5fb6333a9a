import { createServer } from 'node:net';
import { RobotConfig } from '@casare/config';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exitCodes } from './exit-codes.ts';
import { connectOperator } from './operator-connection.ts';

/** A server that takes connections and never answers. */
async function silentServer(): Promise<RobotConfig> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  return new RobotConfig({ connection: { url: `http://127.0.0.1:${port}`, key: 'key' } });
}

describe('a database that does not answer', () => {
  it('is told with how long was waited, and with a remedy that fits who gave its address', async () => {
    const config = await silentServer();
    const { url } = config.connection;
    const given = connectOperator(config, { limitMs: 20 });
    await expect(given).rejects.toMatchObject({
      exitCode: exitCodes.unavailable,
      message: expect.stringMatching(/^cannot reach Supabase at .*waited \d+ m?s.*SUPABASE_URL.*then try again$/),
    });
    const found = connectOperator(config, { limitMs: 20, isEmbedded: true }).catch((error: Error) => error.message);
    expect(await found).toContain(`cannot reach the embedded Supabase at ${url}: no answer (waited `);
    expect(await found).toMatch(/busy machine.*try again/);
    expect(await found).not.toContain('SUPABASE_URL');
  });
});
