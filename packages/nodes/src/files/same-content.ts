import { open, stat } from 'node:fs/promises';
import { withHandle } from './replace-file.ts';

const BLOCK_BYTES = 256 * 1024;

/** Whether two files hold the same bytes. */
export async function haveSameContent(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all([stat(a), stat(b)]);
  if (!left.isFile() || !right.isFile() || left.size !== right.size) return false;
  return withHandle(await open(a), async (first) =>
    withHandle(await open(b), async (second) => {
      const [one, two] = [Buffer.alloc(BLOCK_BYTES), Buffer.alloc(BLOCK_BYTES)];
      for (let at = 0; at < left.size; at += BLOCK_BYTES) {
        const length = Math.min(BLOCK_BYTES, left.size - at);
        await Promise.all([first.read(one, 0, length, at), second.read(two, 0, length, at)]);
        if (!one.subarray(0, length).equals(two.subarray(0, length))) return false;
      }
      return true;
    }),
  );
}
