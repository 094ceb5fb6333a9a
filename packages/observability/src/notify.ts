/** Calls a listener without letting its faults in: false when it threw. */
export function notify<T>(listener: ((event: T) => void) | undefined, event: T): boolean {
  try {
    listener?.(event);
    return true;
  } catch {
    return false;
  }
}
