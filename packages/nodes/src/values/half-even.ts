/**
 * Rounding as Python does it: by the number's exact binary value, ties to the even neighbour
 * (`2.5` to `2`, but `2.675` to `2.67`, because that number lies just below the tie).
 */

/** `value` with exactly `digits` decimals. */
export function fixedText(value: number, digits: number): string {
  if (Math.abs(value) >= 1e21) {
    const whole = BigInt(value).toString();
    return digits === 0 ? whole : `${whole}.${'0'.repeat(digits)}`;
  }
  const magnitude = Math.abs(value);
  const rounded = magnitude.toFixed(digits);
  const text = isTie(magnitude, digits) && isOdd(rounded) ? stepDown(rounded) : rounded;
  return (value < 0 || Object.is(value, -0)) && /[1-9]/.test(text) ? `-${text}` : text;
}

export function roundHalfEven(value: number, digits: number): number {
  return Number(fixedText(value, Math.min(digits, 100)));
}

/** True when the number lies exactly between two decimals; `toFixed` then always takes the upper one. */
function isTie(magnitude: number, digits: number): boolean {
  const exact = magnitude.toFixed(100);
  const rest = exact.slice(exact.indexOf('.') + 1 + digits);
  return /^50*$/.test(rest);
}

function isOdd(decimal: string): boolean {
  return '13579'.includes(decimal.at(-1) ?? '');
}

/** One unit less in the last place; the last digit is odd, so nothing is borrowed. */
function stepDown(decimal: string): string {
  return decimal.slice(0, -1) + String(Number(decimal.at(-1)) - 1);
}
