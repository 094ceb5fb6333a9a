/** What an operator sees and does, through the real door to the database. */
import { RobotConfig } from '@casare/config';
import type { JobGateway, JsonObject } from '@casare/execution';
import type { SupabaseServer } from '@casare/local-supabase';
import { eventually } from '@casare/testing';
import { connectOperator } from '../../src/cli/operator-connection.ts';

export interface Operator {
  readonly gateway: JobGateway;
  submit(workflow: string, options?: { readonly variables?: JsonObject; readonly priority?: number }): Promise<string>;
  job(jobId: string): Promise<JsonObject>;
  /** Resolves with the job once it has ended. */
  ended(jobId: string, timeoutMs?: number): Promise<JsonObject>;
  /** The job as `job show` has it, with the places of what was answered. */
  placed(jobId: string): Promise<JsonObject>;
  close(): Promise<void>;
}

export async function operatorOf(server: Pick<SupabaseServer, 'url' | 'serviceKey'>): Promise<Operator> {
  const config = new RobotConfig({ connection: { url: server.url, key: server.serviceKey } });
  const { gateway, withPlaces, close } = await connectOperator(config, { limitMs: 60_000 });
  const job = async (jobId: string): Promise<JsonObject> => {
    const found = await gateway.getJob(jobId);
    if (found === null) throw new Error(`no job ${jobId}`);
    return found;
  };
  return {
    gateway,
    submit: (workflow, options = {}) => gateway.enqueueJob({ workflow, ...options }),
    job,
    placed: async (jobId) => withPlaces(await job(jobId)),
    ended: (jobId, timeoutMs = 60_000) =>
      eventually(
        `job ${jobId} ends`,
        async () => {
          const state = await job(jobId);
          return state.status === 'pending' || state.status === 'running' ? null : state;
        },
        { timeoutMs, intervalMs: 100 },
      ),
    close,
  };
}
