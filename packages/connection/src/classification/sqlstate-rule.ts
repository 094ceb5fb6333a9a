/** PostgreSQL's five-character error codes, as PostgREST hands them through. */
import type { ClassifyRule } from './error-link.ts';
import { httpVerdict } from './http-rule.ts';
import { type ErrorClass, verdict } from './verdict.ts';

const EXACT: { readonly [sqlstate: string]: ErrorClass } = {
  '40001': 'S',
  '40P01': 'S',
  '53300': 'S',
  '55P03': 'S',
  '57P03': 'S',
  '08001': 'S',
  '08004': 'S',
  '40003': 'A',
  '57P01': 'A',
  '57P02': 'A',
  '57P05': 'A',
  '57014': 'A',
  '58030': 'A',
  XX000: 'A',
  '25006': 'O',
  '53100': 'O',
  '53200': 'O',
  '53400': 'O',
  '57P04': 'O',
  XX001: 'O',
  XX002: 'O',
};

const BY_CLASS: { readonly [twoCharacters: string]: ErrorClass } = {
  '08': 'A',
  '0A': 'P',
  '22': 'P',
  '23': 'P',
  '28': 'P',
  '42': 'P',
  '44': 'P',
  '54': 'P',
  // RAISE in a function of one's own.
  P0: 'P',
};

const REMEDY: { readonly [sqlstate: string]: string } = {
  '25006': 'the database accepts no writes: it is a replica, or out of disk space',
  '42501': 'the key may not do this: sign in as the robot that it belongs to, or grant the right',
  '53100': 'the database is out of disk space',
  '53200': 'the database is out of memory',
  '53400': 'a configured limit of the database is exceeded',
  '57P04': 'the database was dropped',
  XX001: 'the database reports corrupted data',
  XX002: 'the database reports a corrupted index',
};

export const sqlstateRule: ClassifyRule = ({ code, retryAfterMs }) => {
  if (!/^[0-9A-Z]{5}$/.test(code)) return undefined;
  // RAISE SQLSTATE 'PTxyz' is PostgREST's way to choose an HTTP status.
  if (/^PT[1-5]\d\d$/.test(code)) return { ...httpVerdict(Number(code.slice(2)), retryAfterMs), code };
  const letter = EXACT[code] ?? BY_CLASS[code.slice(0, 2)];
  if (letter === undefined) return undefined;
  const remedy = REMEDY[code];
  return verdict(letter, code, {
    retryAfterMs,
    ...(code === '57014' ? { retryOnce: true } : {}),
    ...(remedy === undefined ? {} : { remedy }),
  });
};
