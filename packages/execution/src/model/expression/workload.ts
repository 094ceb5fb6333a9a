/**
 * Bounds what an expression may make: texts, lists and the work of building them. Without it a few characters
 * (`'a' * 10**9`, lists of lists of lists) could fill the memory.
 */
import type { JsonValue } from '../../json.ts';
import { ExpressionFault } from './expression-fault.ts';

export const MAX_TEXT_LENGTH = 1_000_000;
export const MAX_ITEMS = 200_000;
const MAX_WORK = 5_000_000;

export class Workload {
  #left = MAX_WORK;

  spend(amount: number): void {
    this.#left -= amount;
    if (this.#left < 0) throw new ExpressionFault('it takes too much work');
  }

  /** Checks a value that the expression made; returns it. */
  made<T extends JsonValue>(value: T): T {
    if (typeof value === 'string') {
      if (value.length > MAX_TEXT_LENGTH) throw tooLarge();
      this.spend(1 + value.length / 16);
    } else if (typeof value === 'object' && value !== null) {
      this.#measure(value);
    }
    return value;
  }

  #measure(value: JsonValue): void {
    const waiting: JsonValue[] = [value];
    let items = 0;
    let length = 0;
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (typeof next === 'string') length += next.length;
      if (typeof next !== 'object' || next === null) continue;
      const children: readonly JsonValue[] = Array.isArray(next) ? next : Object.values(next);
      items += children.length;
      if (items > MAX_ITEMS || length > MAX_TEXT_LENGTH * 16) throw tooLarge();
      this.spend(1 + children.length);
      for (const child of children) waiting.push(child);
    }
  }
}

export function tooLarge(): ExpressionFault {
  return new ExpressionFault('its result is too large');
}
