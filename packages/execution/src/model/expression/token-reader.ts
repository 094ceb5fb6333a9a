/**
 * Reads the tokens of an expression: jsep (the library) reads texts, numbers, names and spaces; this class looks for
 * Python's symbols and words. It overrides nothing in the library's global tables, which others may use.
 */
import jsep from 'jsep';
import { ExpressionFault } from './expression-fault.ts';

/** The part of jsep's parser class that is used here; its published types leave the class out. */
interface JsepReader {
  readonly expr: string;
  index: number;
  gobbleSpaces(): void;
  gobbleNumericLiteral(): { readonly value: number };
  gobbleStringLiteral(): { readonly value: string };
  gobbleIdentifier(): { readonly name: string };
}
const Jsep: new (text: string) => JsepReader = (jsep as unknown as { Jsep: new (text: string) => JsepReader }).Jsep;

const MAX_DEPTH = 60;
const WORD = /[A-Za-z_$][\w$]*/y;

export class TokenReader extends Jsep {
  #depth = 0;

  /** Runs `read` one level deeper; past the bound the expression is refused. */
  protected nested<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.tooDeep();
    const result = read();
    this.#depth -= 1;
    return result;
  }

  protected position(): number {
    this.gobbleSpaces();
    return this.index;
  }

  /** The next character that is no space; empty at the end. */
  protected next(): string {
    return this.expr[this.position()] ?? '';
  }

  protected peeks(symbol: string): boolean {
    return this.expr.startsWith(symbol, this.position());
  }

  protected take(symbol: string): boolean {
    if (!this.peeks(symbol)) return false;
    this.index += symbol.length;
    return true;
  }

  protected takeAny<const Symbol extends string>(symbols: readonly Symbol[]): Symbol | null {
    return symbols.find((symbol) => this.take(symbol)) ?? null;
  }

  protected takeWord(word: string): boolean {
    const start = this.position();
    if (this.match(WORD)?.[0] === word) return true;
    this.index = start;
    return false;
  }

  /** Eats what the pattern, which must be sticky, finds here. */
  protected match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.position();
    const match = pattern.exec(this.expr);
    if (match !== null) this.index += match[0].length;
    return match;
  }

  protected need(symbol: string): void {
    if (!this.take(symbol)) this.expected(`"${symbol}"`);
  }

  protected expected(what: string): never {
    throw new ExpressionFault(`${what} is expected`, this.position());
  }

  protected tooDeep(): never {
    throw new ExpressionFault('it is nested too deeply', this.index);
  }

  protected unexpected(): never {
    const at = this.position();
    const rest = this.expr.slice(at);
    if (rest === '') throw new ExpressionFault('it ends too early', at);
    if (rest.startsWith('=')) throw new ExpressionFault('"=" does not compare; write "=="', at);
    const shown = /^[\p{L}\p{N}_$]+|^./su.exec(rest)?.[0] ?? '';
    throw new ExpressionFault(`"${shown.slice(0, 40)}" is not expected`, at);
  }
}

/** jsep's own errors carry their position and a description apart from the message. */
export function libraryFault(error: unknown): unknown {
  if (!(error instanceof Error) || !('description' in error) || !('index' in error)) return error;
  return new ExpressionFault(String(error.description), Number(error.index));
}
