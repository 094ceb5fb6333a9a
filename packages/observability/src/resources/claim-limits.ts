/**
 * Whether the robot has the room to take new jobs: a pure decision from a sample, the limits, and what was decided
 * before. A limit that was passed holds until there is a tenth more room (or 5 points less memory), so that it does
 * not come and go with every sample.
 */
import type { ResourceSample } from './resource-sample.ts';

export interface ResourceThresholds {
  /** Free disk space below which no jobs are taken, in MB; null: no limit. */
  readonly minFreeDiskMb: number | null;
  /** Memory of all the robot's processes above which no jobs are taken, in percent of the limit; null: no limit. */
  readonly maxMemoryPercent: number | null;
}

export type ResourceShortage =
  | { readonly resource: 'disk'; readonly freeMb: number; readonly neededMb: number }
  | { readonly resource: 'memory'; readonly usedPercent: number; readonly allowedPercent: number };

const morePercent = 110;
const lessMemoryPoints = 5;

/**
 * @param before what was short at the sample before
 *
 * @example
 * shortagesOf(monitor.current, { minFreeDiskMb: 256, maxMemoryPercent: 90 }, []);
 * // [{ resource: 'disk', freeMb: 12, neededMb: 256 }]
 */
export function shortagesOf(
  sample: ResourceSample,
  { minFreeDiskMb, maxMemoryPercent }: ResourceThresholds,
  before: readonly ResourceShortage[],
): readonly ResourceShortage[] {
  const was = (resource: ResourceShortage['resource']): boolean => before.some((one) => one.resource === resource);
  const shortages: ResourceShortage[] = [];
  const freeMb = sample.disk?.freeMb ?? null;
  if (minFreeDiskMb !== null && freeMb !== null) {
    const neededMb = was('disk') ? (minFreeDiskMb * morePercent) / 100 : minFreeDiskMb;
    if (freeMb < neededMb) shortages.push({ resource: 'disk', freeMb, neededMb });
  }
  const usedPercent = sample.memoryPercent;
  if (maxMemoryPercent !== null) {
    const allowedPercent = was('memory') ? maxMemoryPercent - lessMemoryPoints : maxMemoryPercent;
    if (usedPercent > allowedPercent) shortages.push({ resource: 'memory', usedPercent, allowedPercent });
  }
  return shortages;
}

export function describeShortage(shortage: ResourceShortage): string {
  if (shortage.resource === 'disk') {
    return `the disk has ${Math.round(shortage.freeMb)} MB free, ${Math.round(shortage.neededMb)} MB are needed`;
  }
  return `memory is at ${shortage.usedPercent.toFixed(0)} % of its limit, ${shortage.allowedPercent.toFixed(0)} % are allowed`;
}
