/**
 * Rows under a header, each column as wide as its widest text; and facts. Names and errors come from workflows: control characters are
 * escaped, so that none forges a row or drives the terminal.
 */
import { escapeControl } from '@casare/observability/lines';

export interface Column {
  readonly title: string;
  /** Default `left`. */
  readonly align?: 'left' | 'right';
}

export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const lines = [columns.map((column) => column.title), ...rows.map((row) => row.map(escapeControl))];
  const widths = columns.map((_column, at) => Math.max(...lines.map((line) => (line[at] ?? '').length)));
  return lines.map((line) =>
    columns
      .map(({ align = 'left' }, at) => {
        const text = line[at] ?? '';
        return align === 'right' ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** Names and what they are, the latter in one column; entries without a text are left out. */
export function factLines(facts: readonly (readonly [name: string, text: string | null])[]): string[] {
  const shown = facts.filter((fact): fact is readonly [string, string] => fact[1] !== null && fact[1] !== '');
  const width = Math.max(...shown.map(([name]) => escapeControl(name).length));
  return shown.map(([name, text]) => `${escapeControl(name).padEnd(width)}  ${escapeControl(text)}`);
}
