/**
 * Whether the robot has the room to take new jobs: a pure decision from a sample, the limits, and what was decided
 * before. A limit that was passed holds until there is a tenth more room (or 5 points less memory), so that it does
 * not come and go with every sample.
 */
import * as must from '../arguments.ts';
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
 * @throws ArgumentError for a sample that is none, or limits that are no numbers
 *
 * @example
 * shortagesOf(monitor.current, { minFreeDiskMb: 256, maxMemoryPercent: 90 }, []);
 * // [{ resource: 'disk', freeMb: 12, neededMb: 256 }]
 */
export function shortagesOf(
  sample: ResourceSample,
  thresholds: ResourceThresholds,
  before: readonly ResourceShortage[],
): readonly ResourceShortage[] {
  requireSample('sample', sample);
  requireThresholds('thresholds', thresholds);
  requireShortages('before', before);
  const { minFreeDiskMb, maxMemoryPercent } = thresholds;
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
  requireShortage('shortage', shortage);
  if (shortage.resource === 'disk') {
    return `the disk has ${Math.round(shortage.freeMb)} MB free, ${Math.round(shortage.neededMb)} MB are needed`;
  }
  return `memory is at ${shortage.usedPercent.toFixed(0)} % of its limit, ${shortage.allowedPercent.toFixed(0)} % are allowed`;
}

const requireSample = must.shape({
  disk: must.optional(must.nullable(must.shape({ freeMb: must.aNumber }))),
  memoryPercent: must.aNumber,
});
const requireThresholds = must.options({
  minFreeDiskMb: must.nullable(must.count),
  maxMemoryPercent: must.nullable(must.count),
});
const requireDisk = must.shape({ freeMb: must.aNumber, neededMb: must.aNumber });
const requireMemory = must.shape({ usedPercent: must.aNumber, allowedPercent: must.aNumber });
const requireKind = must.shape({ resource: must.oneOf(['disk', 'memory']) });
const requireShortage: must.Check = (argument, value) => {
  requireKind(argument, value);
  const check = (value as ResourceShortage).resource === 'disk' ? requireDisk : requireMemory;
  check(argument, value);
};
const requireShortages = must.listOf(requireShortage);
