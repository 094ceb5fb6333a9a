/** Functions of expressions that work on text; Python's, under their own and under everyday names. */
import type { JsonValue } from '../../json.ts';
import { toText } from '../value-text.ts';
import { ExpressionFault } from './expression-fault.ts';
import { type ExpressionFunction, listArgument, numberArgument, textArgument } from './function-arguments.ts';
import { contains, sliceOf } from './python-values.ts';
import { MAX_TEXT_LENGTH, tooLarge, type Workload } from './workload.ts';

const lower: ExpressionFunction = { counts: [1, 1], run: ([text]) => toText(text ?? null).toLowerCase() };
const upper: ExpressionFunction = { counts: [1, 1], run: ([text]) => toText(text ?? null).toUpperCase() };
const strip: ExpressionFunction = { counts: [1, 2], run: (args) => stripped(args, true, true) };
const startsWith: ExpressionFunction = {
  counts: [2, 2],
  run: ([text, prefix]) => anyOf(prefix, (candidate) => textArgument(text).startsWith(candidate)),
};
const endsWith: ExpressionFunction = {
  counts: [2, 2],
  run: ([text, suffix]) => anyOf(suffix, (candidate) => textArgument(text).endsWith(candidate)),
};
const substring: ExpressionFunction = {
  counts: [2, 3],
  run: ([text, start, stop], work) =>
    sliceOf(textArgument(text), numberArgument(start), stop === undefined ? null : numberArgument(stop), null, work),
};
const splitWords: ExpressionFunction = {
  counts: [1, 3],
  run: ([text, separator, limit], work) => split(textArgument(text), separator ?? null, limit, work),
};
/** On its own, `split` divides at commas; as a method of text, at white space. */
const splitList: ExpressionFunction = {
  counts: [1, 3],
  run: ([text, separator, limit], work) =>
    split(textArgument(text), separator === undefined ? ',' : separator, limit, work),
};
const join: ExpressionFunction = {
  counts: [1, 2],
  run: ([items, separator], work) => joined(items, separator === undefined ? ',' : textArgument(separator), work),
};
const replace: ExpressionFunction = {
  counts: [3, 4],
  run: ([text, old, replacement, count], work) =>
    replaced(
      textArgument(text),
      textArgument(old),
      textArgument(replacement),
      count === undefined ? -1 : numberArgument(count),
      work,
    ),
};
const find: ExpressionFunction = {
  counts: [2, 2],
  run: ([text, part]) => textArgument(text).indexOf(textArgument(part)),
};

export const textFunctions: ReadonlyMap<string, ExpressionFunction> = new Map([
  ['lower', lower],
  ['upper', upper],
  ['strip', strip],
  ['trim', strip],
  ['startswith', startsWith],
  ['starts_with', startsWith],
  ['endswith', endsWith],
  ['ends_with', endsWith],
  ['replace', replace],
  ['split', splitList],
  ['join', join],
  ['substring', substring],
  ['contains', { counts: [2, 2], run: ([container, item], work) => contains(container ?? null, item ?? null, work) }],
  ['concat', { counts: [0, 100], run: (args, work) => joined([...args], '', work) }],
]);

export const textMethods: ReadonlyMap<string, ExpressionFunction> = new Map<string, ExpressionFunction>([
  ['lower', lower],
  ['casefold', lower],
  ['upper', upper],
  ['strip', strip],
  ['trim', { counts: [1, 1], run: strip.run }],
  ['lstrip', { counts: [1, 2], run: (args) => stripped(args, true, false) }],
  ['rstrip', { counts: [1, 2], run: (args) => stripped(args, false, true) }],
  ['startswith', startsWith],
  ['endswith', endsWith],
  ['replace', replace],
  ['split', splitWords],
  ['splitlines', { counts: [1, 1], run: ([text]) => lines(textArgument(text)) }],
  ['join', { counts: [2, 2], run: ([separator, items], work) => joined(items, textArgument(separator), work) }],
  ['find', find],
  ['count', { counts: [2, 2], run: ([text, part]) => textArgument(text).split(textArgument(part)).length - 1 }],
  ['title', { counts: [1, 1], run: ([text]) => titleCase(textArgument(text)) }],
  ['capitalize', { counts: [1, 1], run: ([text]) => capitalized(textArgument(text)) }],
  ['isdigit', { counts: [1, 1], run: ([text]) => /^\p{Nd}+$/u.test(textArgument(text)) }],
  ['isnumeric', { counts: [1, 1], run: ([text]) => /^\p{N}+$/u.test(textArgument(text)) }],
  ['isalpha', { counts: [1, 1], run: ([text]) => /^\p{L}+$/u.test(textArgument(text)) }],
  ['isalnum', { counts: [1, 1], run: ([text]) => /^[\p{L}\p{N}]+$/u.test(textArgument(text)) }],
  ['isspace', { counts: [1, 1], run: ([text]) => /^\s+$/.test(textArgument(text)) }],
  ['isupper', { counts: [1, 1], run: ([text]) => isCased(textArgument(text), (part) => part.toUpperCase()) }],
  ['islower', { counts: [1, 1], run: ([text]) => isCased(textArgument(text), (part) => part.toLowerCase()) }],
  ['zfill', { counts: [2, 2], run: ([text, width]) => zeroFilled(textArgument(text), numberArgument(width)) }],
]);

function anyOf(candidates: JsonValue | undefined, matches: (candidate: string) => boolean): boolean {
  const texts: readonly JsonValue[] = Array.isArray(candidates) ? candidates : [candidates ?? null];
  return texts.some((candidate) => matches(textArgument(candidate)));
}

function stripped([text, characters]: readonly JsonValue[], atStart: boolean, atEnd: boolean): string {
  const source = textArgument(text);
  const strips = characters === undefined || characters === null ? null : new Set(textArgument(characters));
  const isStripped = (character: string | undefined): boolean =>
    character !== undefined && (strips === null ? /\s/.test(character) : strips.has(character));
  let start = 0;
  let end = source.length;
  while (atStart && start < end && isStripped(source[start])) start += 1;
  while (atEnd && end > start && isStripped(source[end - 1])) end -= 1;
  return source.slice(start, end);
}

function split(text: string, separator: JsonValue, limit: JsonValue | undefined, work: Workload): JsonValue {
  const most = limit === undefined ? -1 : numberArgument(limit);
  if (separator === null) {
    const words = text.split(/\s+/).filter((word) => word !== '');
    if (most >= 0) throw new ExpressionFault('a split at white space takes no limit');
    return work.made(words);
  }
  const mark = textArgument(separator);
  if (mark === '') throw new ExpressionFault('the separator is empty');
  const parts = text.split(mark);
  if (most < 0 || parts.length <= most + 1) return work.made(parts);
  return work.made([...parts.slice(0, most), parts.slice(most).join(mark)]);
}

function joined(items: JsonValue | undefined, separator: string, work: Workload): string {
  const texts = listArgument(items).map((item) => {
    work.spend(1);
    return toText(item);
  });
  const length = texts.reduce((sum, text) => sum + text.length + separator.length, 0);
  if (length > MAX_TEXT_LENGTH) throw tooLarge();
  return work.made(texts.join(separator));
}

function replaced(text: string, old: string, replacement: string, count: number, work: Workload): string {
  const parts = old === '' ? ['', ...text, ''] : text.split(old);
  const replacements = count < 0 ? parts.length - 1 : Math.min(count, parts.length - 1);
  if (text.length + replacements * replacement.length > MAX_TEXT_LENGTH) throw tooLarge();
  const head = parts.slice(0, replacements + 1).join(replacement);
  return work.made([head, ...parts.slice(replacements + 1)].join(old));
}

function lines(text: string): readonly string[] {
  const parts = text.split(/\r\n|\r|\n/);
  return parts.at(-1) === '' ? parts.slice(0, -1) : parts;
}

function titleCase(text: string): string {
  return text.replace(/\p{L}+/gu, capitalized);
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase();
}

function isCased(text: string, change: (text: string) => string): boolean {
  return change(text) === text && text.toUpperCase() !== text.toLowerCase();
}

function zeroFilled(text: string, width: number): string {
  if (width > MAX_TEXT_LENGTH) throw tooLarge();
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  return sign + text.slice(sign.length).padStart(width - sign.length, '0');
}
