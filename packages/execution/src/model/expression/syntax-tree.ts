/** What an expression is after parsing. `at` is the position in the text, for messages. */
import type { JsonValue } from '../../json.ts';
import type { Reference } from '../reference-path.ts';

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '//' | '%';

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in' | 'is' | 'is not';

export interface Step<Operator extends string> {
  readonly operator: Operator;
  readonly operand: Expression;
  readonly at: number;
}

export type Expression =
  | { readonly kind: 'value'; readonly value: JsonValue }
  /** A text in quotes; references in it are replaced when it is evaluated. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'reference'; readonly reference: Reference; readonly at: number }
  | { readonly kind: 'member'; readonly object: Expression; readonly name: string; readonly at: number }
  | { readonly kind: 'index'; readonly object: Expression; readonly index: Expression; readonly at: number }
  | {
      readonly kind: 'slice';
      readonly object: Expression;
      readonly start: Expression | null;
      readonly stop: Expression | null;
      readonly step: Expression | null;
      readonly at: number;
    }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[]; readonly at: number }
  | {
      readonly kind: 'method';
      readonly object: Expression;
      readonly name: string;
      readonly args: readonly Expression[];
      readonly at: number;
    }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [Expression, Expression])[] }
  | { readonly kind: 'not'; readonly operand: Expression }
  | { readonly kind: 'sign'; readonly operator: '+' | '-'; readonly operand: Expression; readonly at: number }
  /** `first` and then each step, from left to right. */
  | { readonly kind: 'arithmetic'; readonly first: Expression; readonly steps: readonly Step<ArithmeticOperator>[] }
  | { readonly kind: 'power'; readonly base: Expression; readonly exponent: Expression; readonly at: number }
  /** Chained as in Python: `1 < x < 10` compares each neighbour and stops at the first that is false. */
  | { readonly kind: 'comparison'; readonly first: Expression; readonly steps: readonly Step<Comparison>[] }
  | { readonly kind: 'logic'; readonly operator: 'and' | 'or'; readonly operands: readonly Expression[] }
  | {
      readonly kind: 'choice';
      readonly test: Expression;
      readonly whenTrue: Expression;
      readonly whenFalse: Expression;
    };
