/** The picture of what a job had on its screen when it failed: the first PNG of its bundle in the robot's home. */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface FailurePictures {
  readonly has: (jobId: string) => Promise<boolean>;
  /** Null when there is none. */
  readonly read: (jobId: string) => Promise<Buffer | null>;
}

/** A larger one is not shown (I7). */
const maxBytes = 10 * 1024 * 1024;

export function failurePictures(home: string): FailurePictures {
  async function pathOf(jobId: string): Promise<string | null> {
    if (!/^[\w-]{1,64}$/.test(jobId)) return null;
    const folder = join(home, 'bundles', jobId);
    const names = await readdir(folder, { recursive: true }).catch(() => []);
    for (const name of names.filter((one) => one.endsWith('.png')).toSorted()) {
      const path = join(folder, name);
      const stat = await lstat(path).catch(() => null);
      if (stat?.isFile() === true && stat.size <= maxBytes) return path;
    }
    return null;
  }
  return {
    has: async (jobId) => (await pathOf(jobId)) !== null,
    async read(jobId) {
      const path = await pathOf(jobId);
      return path === null ? null : await readFile(path).catch(() => null);
    },
  };
}
