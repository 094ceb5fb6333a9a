/** How the parts of a store reach it: reads on the caller's connection, writes through the writer's thread. */
import type { StoreCommand, ValueOf } from './writer/commands.ts';

export interface StoreAccess {
  /** Runs `query` at once, on what has been committed. Rejects when the store is closed. */
  read<T>(query: () => T): Promise<T>;
  /** Resolves with the command's value once it is durable. */
  write<Command extends StoreCommand>(command: Command): Promise<ValueOf<Command>>;
}
