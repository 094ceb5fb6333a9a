/** A process that runs a server until it is killed: `run-server.ts embedded|postgres [dataDir]`. */
import { startEmbeddedSupabase } from '../../src/index.ts';
import { startPostgresSupabase } from '../../src/postgres/index.ts';

const [kind, dataDir] = process.argv.slice(2);
const start = kind === 'postgres' ? startPostgresSupabase : startEmbeddedSupabase;
const { url, serviceKey, anonKey } = await start(dataDir ? { dataDir } : {});
console.log(JSON.stringify({ url, serviceKey, anonKey }));
