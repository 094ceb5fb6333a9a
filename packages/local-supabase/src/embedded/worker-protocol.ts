/** What the embedded server's thread and its owner say to each other. */
import type { LocalSupabaseErrorCode } from '../errors.ts';
import type { KeptSettings } from '../kept-settings.ts';
import type { LogLevel } from '../ports.ts';

export interface WorkerInput {
  readonly dataDir: string | null;
  readonly port: number | null;
  readonly migrationsDir: string;
}

export type ToWorker =
  | { readonly kind: 'sql'; readonly id: number; readonly text: string; readonly params: readonly unknown[] }
  | { readonly kind: 'stop' };

export interface ReadyMessage {
  readonly kind: 'ready';
  readonly port: number;
  readonly settings: KeptSettings;
}

export type FromWorker =
  | { readonly kind: 'log'; readonly level: LogLevel; readonly message: string }
  | ReadyMessage
  | { readonly kind: 'failed'; readonly code: LocalSupabaseErrorCode; readonly message: string }
  | { readonly kind: 'rows'; readonly id: number; readonly rows: readonly Record<string, unknown>[] }
  | {
      readonly kind: 'refused';
      readonly id: number;
      readonly message: string;
      readonly code: string;
      readonly hint: string | undefined;
    };
