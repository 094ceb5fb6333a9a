/** The beginning of a text, as a text of its own: a slice would keep the whole of a long one in memory. */
export function shortText(given: string, maxLength: number): string {
  // What measures must not fail what is measured, whatever it is given by callers without a type checker.
  const text = typeof given === 'string' ? given : String(given);
  return text.length <= maxLength ? text : Buffer.from(text.slice(0, maxLength), 'utf8').toString('utf8');
}
