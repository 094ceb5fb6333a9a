/** Python's format specifications: `[[fill]align][sign][#][0][width][grouping][.precision][type]`. */

export interface FormatSpec {
  readonly fill: string;
  readonly align: '<' | '>' | '=' | '^' | '';
  readonly sign: '+' | '-' | ' ';
  readonly alternate: boolean;
  readonly width: number;
  readonly grouping: ',' | '_' | '';
  readonly precision: number | null;
  readonly type: string;
}

const SPEC =
  /^(?:(?<fill>.)?(?<align>[<>=^]))?(?<sign>[+\- ])?(?<alternate>#)?(?<zero>0)?(?<width>\d+)?(?<grouping>[,_])?(?:\.(?<precision>\d+))?(?<type>[bcdeEfFgGnosxX%])?$/su;
const WIDEST = 10_000;

/** @param invalid makes the error for a text that is no specification */
export function parseSpec(source: string, invalid: (problem: string) => Error): FormatSpec {
  const groups = SPEC.exec(source)?.groups;
  if (groups === undefined) throw invalid('is no format specification');
  const width = Number(groups.width ?? 0);
  const precision = groups.precision === undefined ? null : Number(groups.precision);
  if (width > WIDEST) throw invalid(`asks for more than ${WIDEST} characters`);
  if (precision !== null && precision > 100) throw invalid('asks for more than 100 decimals');
  const zero = groups.zero !== undefined;
  return {
    fill: groups.fill ?? (zero ? '0' : ' '),
    align: (groups.align as FormatSpec['align'] | undefined) ?? (zero ? '=' : ''),
    sign: (groups.sign as FormatSpec['sign'] | undefined) ?? '-',
    alternate: groups.alternate !== undefined,
    width,
    grouping: (groups.grouping as FormatSpec['grouping'] | undefined) ?? '',
    precision,
    type: groups.type ?? '',
  };
}
