/** Numbers that arrive as text, as designers and templates write them. */

const NUMBER = /^[+-]?(\d+(_\d+)*\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The number that a text spells (`5`, ` -1.5e3 `, `1_000`), or null when it spells none. */
export function numericText(text: string): number | null {
  const trimmed = text.trim();
  if (!NUMBER.test(trimmed)) return null;
  const number = Number(trimmed.replaceAll('_', ''));
  return Number.isFinite(number) ? number : null;
}
