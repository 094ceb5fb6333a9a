/** `firstMs`, grown by `factor` so many times, never past `capMs`; overflow is the cap, and nothing grows from zero. */
export function grownMs(firstMs: number, factor: number, times: number, capMs: number): number {
  return firstMs === 0 ? 0 : Math.min(capMs, firstMs * factor ** times);
}
