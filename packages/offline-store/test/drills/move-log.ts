/** Moves a store's write-ahead log into its file while the store is in use, as SQLite does it by itself now and then. */
import Database from 'better-sqlite3';

export function moveLogIntoFile(path: string): void {
  const db = new Database(path);
  try {
    const [{ busy } = { busy: 1 }] = db.pragma('wal_checkpoint(TRUNCATE)') as { readonly busy: number }[];
    if (busy !== 0) throw new Error(`the log of ${path} is in use`);
  } finally {
    db.close();
  }
}
