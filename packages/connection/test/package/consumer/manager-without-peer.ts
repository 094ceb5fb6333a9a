/** The whole package can be imported without supabase-js; only a connection needs it, and says so. */
const { CircuitBreaker, ConnectionManager } = await import('@casare/connection');

const value = await new CircuitBreaker('service').call(() => 7);
const manager = new ConnectionManager({ url: 'http://127.0.0.1:1', key: 'key' });
const problem = await manager.connect().catch((error: { code: string; remedy: string }) => error);
console.log(JSON.stringify({ value, code: problem?.code, remedy: problem?.remedy }));
