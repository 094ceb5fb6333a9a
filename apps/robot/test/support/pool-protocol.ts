/** What a test file and the pool of Supabases say to each other: a line of JSON each. */
declare module 'vitest' {
  export interface ProvidedContext {
    /** Port of the pool. */
    readonly supabasePool: number;
  }
}

export interface PoolRequest {
  readonly id: number;
  readonly text: string;
  readonly params: readonly unknown[];
}

export type PoolAnswer =
  | { readonly kind: 'server'; readonly url: string; readonly serviceKey: string; readonly anonKey: string }
  | { readonly kind: 'rows'; readonly id: number; readonly rows: readonly unknown[] }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };
