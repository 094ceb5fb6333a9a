/** Supabase Realtime as tests know it: a server that speaks its protocol, and its part of the database. */
export { type Joined, PhoenixServer } from './phoenix-server.ts';
export { type RealtimeMessage, realtimeSchema } from './realtime-schema.ts';
