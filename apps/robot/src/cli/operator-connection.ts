/** One command's connection to the database: made at once or not at all. */
import type { RobotConfig } from '@casare/config';
import { JobGateway, type JsonObject, type JsonValue } from '@casare/execution';
import { openConnection } from '../compose-connection.ts';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';

export interface OperatorConnection {
  readonly gateway: JobGateway;
  /** Calls a database function that is not about jobs. */
  rpc(name: string, args: JsonObject): Promise<JsonValue>;
  close(): Promise<void>;
}

/** A person waits for the answer: an unreachable server is reported after this long. */
const defaultLimitMs = 10_000;

/**
 * @param limitMs default: 10 s
 * @throws CliError when the server cannot be reached; ConfigError when URL or key is missing
 */
export async function connectOperator(
  config: RobotConfig,
  limitMs: number = defaultLimitMs,
): Promise<OperatorConnection> {
  const connection = openConnection(config, { logger: { log: () => undefined } });
  const limit = AbortSignal.timeout(limitMs);
  try {
    await connection.connect(limit);
  } catch (error) {
    const { lastError } = connection.getStatus();
    await connection.disconnect();
    if (!limit.aborted) throw error;
    const why = lastError === null ? 'no answer' : lastError.message;
    throw new CliError(exitCodes.unavailable, `cannot reach Supabase at ${config.connection.url}: ${why}`);
  }
  return {
    gateway: new JobGateway(connection),
    rpc: (name, args) => connection.rpc(name, args),
    close: () => connection.disconnect(),
  };
}
