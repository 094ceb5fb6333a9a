/** How the parts of a store reach its connection: one way in for reads, one for writes. */
export interface StoreAccess {
  /** Runs `query` at once. Rejects when the store is closed. */
  read<T>(query: () => T): Promise<T>;
  /** Runs `work` in a transaction that others may share; resolves once it is durable. */
  write<T>(work: () => T): Promise<T>;
}
