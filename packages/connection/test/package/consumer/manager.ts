/** What someone writes who connects to Supabase. */
import { ConnectionManager, ErrorCategory, type ConnectionManager as Manager } from '@casare/connection';

const manager: Manager = new ConnectionManager({
  url: 'http://127.0.0.1:2',
  key: 'key',
  config: { maxReconnectAttempts: 1 },
});
const problem = await manager.connect().catch((error: { category: string }) => error);
const rows = (): Promise<{ id: string }[]> =>
  manager.execute<{ id: string }[]>((client) => client.from('jobs').select());
console.log(JSON.stringify({ transient: problem?.category === ErrorCategory.TRANSIENT, rows: typeof rows }));
await manager.disconnect();
