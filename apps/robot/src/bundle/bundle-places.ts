/** Where the failure bundles of a robot are: readable by its owner alone. */
import { join } from 'node:path';

export function bundlesFolder(home: string): string {
  return join(home, 'bundles');
}

/** Of one job, whose id is the bundle's. */
export function bundleFolder(home: string, jobId: string): string {
  return join(bundlesFolder(home), jobId);
}

/** What is kept while the job may yet go on. */
export function stagingFolder(home: string, jobId: string): string {
  return join(bundlesFolder(home), '.staging', jobId);
}

/** Ids become names of folders. */
export function isBundleId(jobId: string): boolean {
  return /^[\w-]{1,64}$/.test(jobId);
}
