/**
 * The grammar of expressions: Python's, with JavaScript's `&&`, `||`, `!` and `? :` besides, on top of a library's
 * reader (token-reader.ts).
 *
 * References (`{{x}}`, `${x}`, `%x%`) become leaves of the tree. They are never pasted into the text, so a value
 * that holds quotes or code stays a value.
 */
import type { JsonValue } from '../../json.ts';
import { MAX_REFERENCE_LENGTH, parseReference, type Reference } from '../reference-path.ts';
import { ExpressionFault } from './expression-fault.ts';
import type { ArithmeticOperator, Comparison, Expression, Step } from './syntax-tree.ts';
import { libraryFault, TokenReader } from './token-reader.ts';

const MAX_LENGTH = 4_000;
const MAX_LINKS = 60;

const constants: ReadonlyMap<string, JsonValue> = new Map<string, JsonValue>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['null', null],
  ['None', null],
]);
const keywords = new Set(['and', 'or', 'not', 'in', 'is', 'if', 'else', 'for', 'lambda']);
const PERCENT_REFERENCE = /%([\p{L}_][^%\s{}]*)%/uy;
const COMPARISON = /===|!==|==|!=|<=|>=|<(?!<)|>(?!>)/y;

/** @throws ExpressionFault when the text is no expression, or longer or deeper than the bounds. */
export function parseExpression(text: string): Expression {
  if (text.length > MAX_LENGTH) throw new ExpressionFault(`it is longer than ${MAX_LENGTH} characters`);
  const parser = new ExpressionParser(text);
  try {
    return parser.whole();
  } catch (error) {
    throw error instanceof ExpressionFault ? error : libraryFault(error);
  }
}

class ExpressionParser extends TokenReader {
  whole(): Expression {
    if (this.expr.trim() === '') throw new ExpressionFault('it is empty');
    const expression = this.#expression();
    if (this.next() !== '') this.unexpected();
    return expression;
  }

  #expression(): Expression {
    return this.nested(() => {
      const value = this.#or();
      if (this.takeWord('if')) {
        const test = this.#or();
        if (!this.takeWord('else')) this.expected('"else"');
        return { kind: 'choice', test, whenTrue: value, whenFalse: this.#expression() };
      }
      if (!this.take('?')) return value;
      const whenTrue = this.#expression();
      this.need(':');
      return { kind: 'choice', test: value, whenTrue, whenFalse: this.#expression() };
    });
  }

  #or(): Expression {
    return this.#logic(
      'or',
      () => this.#and(),
      () => this.takeWord('or') || this.take('||'),
    );
  }

  #and(): Expression {
    return this.#logic(
      'and',
      () => this.#not(),
      () => this.takeWord('and') || this.take('&&'),
    );
  }

  #logic(operator: 'and' | 'or', operand: () => Expression, more: () => boolean): Expression {
    const first = operand();
    const operands = [first];
    while (more()) operands.push(operand());
    return operands.length === 1 ? first : { kind: 'logic', operator, operands };
  }

  #not(): Expression {
    if (!this.takeWord('not')) return this.#comparison();
    return this.nested(() => ({ kind: 'not', operand: this.#not() }));
  }

  #comparison(): Expression {
    const first = this.#sum();
    const steps: Step<Comparison>[] = [];
    for (;;) {
      const at = this.position();
      const operator = this.#comparisonOperator();
      if (operator === null) return steps.length === 0 ? first : { kind: 'comparison', first, steps };
      steps.push({ operator, operand: this.#sum(), at });
    }
  }

  #comparisonOperator(): Comparison | null {
    const symbol = this.match(COMPARISON)?.[0];
    if (symbol === '===') return '==';
    if (symbol === '!==') return '!=';
    if (symbol !== undefined) return symbol as Comparison;
    if (this.takeWord('in')) return 'in';
    if (this.takeWord('is')) return this.takeWord('not') ? 'is not' : 'is';
    const start = this.index;
    if (!this.takeWord('not')) return null;
    if (this.takeWord('in')) return 'not in';
    this.index = start;
    return null;
  }

  #sum(): Expression {
    return this.#arithmetic(
      () => this.#product(),
      () => this.takeAny(['+', '-']),
    );
  }

  #product(): Expression {
    return this.#arithmetic(
      () => this.#unary(),
      () => (this.peeks('**') ? null : this.takeAny(['//', '*', '/', '%'])),
    );
  }

  #arithmetic(operand: () => Expression, operator: () => ArithmeticOperator | null): Expression {
    const first = operand();
    const steps: Step<ArithmeticOperator>[] = [];
    for (;;) {
      const at = this.position();
      const found = operator();
      if (found === null) return steps.length === 0 ? first : { kind: 'arithmetic', first, steps };
      steps.push({ operator: found, operand: operand(), at });
    }
  }

  #unary(): Expression {
    const at = this.position();
    if (!this.peeks('!=') && this.take('!')) {
      return this.nested(() => ({ kind: 'not', operand: this.#unary() }));
    }
    const sign = this.takeAny(['-', '+']);
    if (sign !== null) return this.nested(() => ({ kind: 'sign', operator: sign, operand: this.#unary(), at }));
    const base = this.#postfix();
    const powerAt = this.position();
    if (!this.take('**')) return base;
    return this.nested(() => ({ kind: 'power', base, exponent: this.#unary(), at: powerAt }));
  }

  #postfix(): Expression {
    let expression = this.#atom();
    for (let links = 0; ; links += 1) {
      if (links > MAX_LINKS) this.tooDeep();
      const at = this.position();
      if (this.take('.')) expression = this.#member(expression, at);
      else if (this.take('[')) expression = this.#subscript(expression, at);
      else return expression;
    }
  }

  #member(object: Expression, at: number): Expression {
    this.gobbleSpaces();
    const name = this.gobbleIdentifier().name;
    if (this.take('(')) return { kind: 'method', object, name, args: this.#items(')'), at };
    const isPath = object.kind === 'reference' && object.reference.steps.length === 0;
    if (!isPath) return { kind: 'member', object, name, at };
    const reference: Reference = { names: [...object.reference.names, name], steps: [] };
    return { kind: 'reference', reference, at: object.at };
  }

  #subscript(object: Expression, at: number): Expression {
    const start = this.peeks(':') ? null : this.#expression();
    if (start !== null && this.take(']')) return { kind: 'index', object, index: start, at };
    this.need(':');
    const bound = (): Expression | null => (this.peeks(':') || this.peeks(']') ? null : this.#expression());
    const stop = bound();
    const step = this.take(':') ? bound() : null;
    this.need(']');
    return { kind: 'slice', object, start, stop, step, at };
  }

  #atom(): Expression {
    const at = this.position();
    const next = this.next();
    if (next === '') throw new ExpressionFault('it ends too early', at);
    const reference = this.#reference(at);
    if (reference !== null) return reference;
    if (next === '"' || next === "'") return { kind: 'text', text: this.gobbleStringLiteral().value };
    if (/[0-9]/.test(next) || (next === '.' && /[0-9]/.test(this.expr[at + 1] ?? ''))) return this.#number(at);
    if (this.take('(')) return this.#group();
    if (this.take('[')) return { kind: 'list', items: this.#items(']') };
    if (this.take('{')) return this.#braces();
    return this.#name(at);
  }

  #number(at: number): Expression {
    const { value } = this.gobbleNumericLiteral();
    if (!Number.isFinite(value)) throw new ExpressionFault('the number is too large', at);
    return { kind: 'value', value };
  }

  #name(at: number): Expression {
    if (!/[\p{L}_$]/u.test(this.next())) this.unexpected();
    const { name } = this.gobbleIdentifier();
    if (keywords.has(name)) throw new ExpressionFault(`"${name}" is not expected`, at);
    const constant = constants.get(name);
    if (constant !== undefined) return { kind: 'value', value: constant };
    if (this.take('(')) return { kind: 'call', name, args: this.#items(')'), at };
    return { kind: 'reference', reference: { names: [name], steps: [] }, at };
  }

  /** A reference with its marks; `{{ a > b }}`, which is none, is read like parentheses. */
  #reference(at: number): Expression | null {
    if (this.peeks('{{')) {
      const braced = this.#marked(at, '{{', '}}');
      if (braced !== null) return braced;
      this.index = at + 2;
      const inner = this.#expression();
      this.need('}}');
      return inner;
    }
    if (this.peeks('${')) return this.#marked(at, '${', '}') ?? this.unexpected();
    const percent = this.match(PERCENT_REFERENCE)?.[1];
    if (percent === undefined) return null;
    const reference = parseReference(percent);
    return reference === null ? this.unexpected() : { kind: 'reference', reference, at };
  }

  #marked(at: number, open: string, close: string): Expression | null {
    const inner = this.expr.slice(at + open.length, at + open.length + MAX_REFERENCE_LENGTH + close.length);
    const end = inner.indexOf(close);
    const reference = end === -1 ? null : parseReference(inner.slice(0, end));
    if (reference === null) return null;
    this.index = at + open.length + end + close.length;
    return { kind: 'reference', reference, at };
  }

  /** After "(": one expression in parentheses, or a list as Python's tuples are. */
  #group(): Expression {
    if (this.take(')')) return { kind: 'list', items: [] };
    const first = this.#expression();
    if (this.take(')')) return first;
    this.need(',');
    return { kind: 'list', items: [first, ...this.#items(')')] };
  }

  /** After "{": an object, or a list as Python's sets are. */
  #braces(): Expression {
    const entries: (readonly [Expression, Expression])[] = [];
    if (this.take('}')) return { kind: 'object', entries };
    const first = this.#expression();
    if (!this.take(':')) {
      if (!this.take(',')) this.need('}');
      else return { kind: 'list', items: [first, ...this.#items('}')] };
      return { kind: 'list', items: [first] };
    }
    entries.push([first, this.#expression()]);
    while (this.take(',') && !this.peeks('}')) {
      const key = this.#expression();
      this.need(':');
      entries.push([key, this.#expression()]);
    }
    this.need('}');
    return { kind: 'object', entries };
  }

  /** Expressions with commas up to the closing bracket, which is eaten; a comma may stand before it. */
  #items(close: string): Expression[] {
    const items: Expression[] = [];
    while (!this.take(close)) {
      items.push(this.#expression());
      if (this.take(close)) break;
      this.need(',');
    }
    return items;
  }
}
