/** Makes the database that every new embedded Supabase of this user begins with, see `pristine-database.ts`. */
import { startEmbeddedSupabase } from '../packages/local-supabase/src/index.ts';

const server = await startEmbeddedSupabase();
await server.stop();
