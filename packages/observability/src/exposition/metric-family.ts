/** One metric with its values, for any exporter. */
import * as must from '../arguments.ts';
import type { DurationHistogram } from '../metrics/duration-histogram.ts';
import { type MetricDescriptor, type MetricKey, metricTable } from './metric-names.ts';

export interface MetricPoint {
  /** One value per attribute of the descriptor, in its order. */
  readonly attributes: readonly string[];
  /** A histogram counts in ms; it is exported in seconds. */
  readonly value: number | DurationHistogram;
}

export interface MetricFamily {
  readonly descriptor: MetricDescriptor;
  readonly points: readonly MetricPoint[];
}

/**
 * A family of the table; points with a null value are left out, since nothing is known.
 *
 * @throws ArgumentError
 */
export function family(
  key: MetricKey,
  points: readonly (readonly [value: number | DurationHistogram | null, ...attributes: string[]])[],
): MetricFamily {
  must.oneOf(Object.keys(metricTable))('key', key);
  must.listOf(must.listOf(() => undefined))('points', points);
  return {
    descriptor: metricTable[key],
    points: points.flatMap(([value, ...attributes]) => (value === null ? [] : [{ attributes, value }])),
  };
}
