/** The one way into a store's file for writing: a thread of its own, or the caller's. */
import type { StoreCommand, ValueOf } from './commands.ts';
import type { WriterStatus } from './writer-messages.ts';

export interface Writer {
  /** Resolves once the file is open, with the store's settings asserted on the connection that writes. */
  readonly opened: Promise<unknown>;
  /** Whether it writes on the connection that the caller reads on, and closes that. */
  readonly sharesConnection: boolean;
  /** Runs a command; resolves with its value once its transaction has been committed. */
  run<Command extends StoreCommand>(command: Command): Promise<ValueOf<Command>>;
  status(): Promise<WriterStatus>;
  /** Moves the write-ahead log into the file. */
  truncate(): Promise<void>;
  /** Resolves once everything asked for before has been answered and the file is closed. */
  close(): Promise<void>;
}
