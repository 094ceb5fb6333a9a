/**
 * Rounds as Python does: by the number's exact binary value, ties to the even neighbour (2.5 becomes 2; 2.675
 * becomes 2.67, because that number lies just below the tie).
 */
export function roundHalfEven(value: number, digits: number): number {
  const places = Math.trunc(digits);
  if (Math.abs(value) >= 2 ** 53 || places > 100) return value;
  if (places < 0) return places < -20 ? 0 : tiesToEven(value / 10 ** -places) * 10 ** -places;
  if (places === 0) return tiesToEven(value);
  const magnitude = Math.abs(value);
  const up = magnitude.toFixed(places);
  const exact = magnitude.toFixed(100);
  const isTie = /^50*$/.test(exact.slice(exact.indexOf('.') + 1 + places));
  const isOdd = Number(up.at(-1)) % 2 === 1;
  // toFixed takes the upper neighbour of a tie, so an odd one is the wrong one and nothing has to be borrowed.
  const text = isTie && isOdd ? up.slice(0, -1) + String(Number(up.at(-1)) - 1) : up;
  return Math.sign(value) * Number(text);
}

function tiesToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}
