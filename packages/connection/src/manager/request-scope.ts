/**
 * What belongs to one attempt of one operation: its signal, and what its requests came to. The guarded fetch finds
 * it through the async context, because supabase-js hands neither of them through.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/** What one request came to. */
export type Exchange =
  | { readonly kind: 'failed'; readonly error: unknown }
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly retryAfterMs: number | undefined;
      /** The body of an answer that is not a success. */
      readonly problem: string | undefined;
    };

/**
 * Why an answer that looks like a success is none. `unconfirmed`: a write answered with nothing at all.
 * `no-row`: a write to a table that wrote no row. `empty`: a read answered with nothing at all.
 */
export type Flaw = 'unconfirmed' | 'no-row' | 'empty';

export interface RequestScope {
  readonly signal: AbortSignal;
  /** In whose name requests go out. */
  token: string;
  /** True once a request was handed to the network. */
  sent: boolean;
  last: Exchange | undefined;
  flaw: Flaw | undefined;
}

export type RequestScopes = AsyncLocalStorage<RequestScope>;

export function createRequestScopes(): RequestScopes {
  return new AsyncLocalStorage<RequestScope>();
}
