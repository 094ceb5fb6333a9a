/** The beginning of a text, as a text of its own: a slice would keep the whole of a long one in memory. */
export function shortText(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : Buffer.from(text.slice(0, maxLength), 'utf8').toString('utf8');
}
