/**
 * What a program means, by a plain recursive interpreter: the language's own loops and exceptions instead of
 * frames and queues. Branches and items run one after the other here: they see nothing of each other. It knows no
 * paths side by side in one queue.
 */
import type { JsonValue } from '../../src/json.ts';
import { type Block, defaultHandler, jumpOutsideLoops, type Statement } from './programs.ts';

export interface Meaning {
  readonly end: 'completed' | 'failed';
  readonly marks: readonly string[];
  readonly errors: number;
}

class Thrown extends Error {
  readonly type: string;
  constructor(type: string) {
    super(type);
    this.type = type;
  }
}

class Jump extends Error {
  readonly kind: 'break' | 'continue';
  readonly loop: symbol;
  constructor(kind: 'break' | 'continue', loop: symbol) {
    super(kind);
    this.kind = kind;
    this.loop = loop;
  }
}

/** The attempt around it is over. */
class AttemptEnd extends Error {
  readonly works: boolean;
  constructor(works: boolean) {
    super('attempt ended');
    this.works = works;
  }
}

/** Nothing follows on this path; what surrounds it goes on. */
class PathEnd extends Error {}

export function meaningOf(program: Block, stopOnError: boolean): Meaning {
  const oracle = new Oracle(stopOnError);
  try {
    oracle.region(program, []);
    return { end: 'completed', marks: oracle.marks, errors: oracle.errors };
  } catch (error) {
    if (!(error instanceof Thrown)) throw error;
    return { end: 'failed', marks: oracle.marks, errors: oracle.errors };
  }
}

function initialVariables(): Map<string, JsonValue> {
  return new Map<string, JsonValue>([
    ['v0', 0],
    ['v1', 1],
    ['v2', 2],
  ]);
}

class Oracle {
  readonly marks: string[] = [];
  errors = 0;
  readonly #stopOnError: boolean;
  #variables: Map<string, JsonValue> = initialVariables();
  /** Regions of this file that take errors. */
  #regions = 0;
  #retries = 0;
  #calls = 0;

  constructor(stopOnError: boolean) {
    this.#stopOnError = stopOnError;
  }

  /** A body of its own: a path that ends in it ends it, and nothing more. */
  region(block: Block, loops: readonly symbol[]): void {
    try {
      this.block(block, loops);
    } catch (end) {
      if (!(end instanceof PathEnd)) throw end;
    }
  }

  block(block: Block, loops: readonly symbol[]): void {
    for (const statement of block) this.#statement(statement, loops);
  }

  #value(name: string): number {
    return Number(this.#variables.get(name));
  }

  /** An error outside of all regions ends the program (or the call), or is put down and passed over. */
  #fail(error: Thrown): void {
    if (this.#isTaken()) throw error;
    this.errors += 1;
    if (this.#stopOnError) throw error;
  }

  #isTaken(): boolean {
    return this.#regions > 0 || (this.#calls > 0 && this.#stopOnError);
  }

  #statement(statement: Statement, loops: readonly symbol[]): void {
    switch (statement.do) {
      case 'mark': {
        const names = ['v0', 'v1', 'v2', 'error_type', 'had_error'];
        const values = names.map((name) => String(this.#variables.get(name) ?? `{{${name}}}`));
        this.marks.push([statement.label, ...values].join(' '));
        return;
      }
      case 'count': {
        const name = `v${statement.variable}`;
        this.#variables.set(name, this.#value(name) + 1);
        return;
      }
      case 'throw':
        this.#fail(new Thrown('CustomError'));
        return;
      case 'break':
      case 'continue': {
        const loop = loops.at(-1 - statement.out) ?? loops.at(-1);
        if (loop !== undefined) throw new Jump(statement.do, loop);
        this.#statement(jumpOutsideLoops, loops);
        return;
      }
      case 'if':
        if (this.#value(`v${statement.variable}`) % 2 === 0) this.block(statement.yes, loops);
        else if (statement.no !== null) this.block(statement.no, loops);
        return;
      case 'switch':
        this.block(statement.cases[this.#value(`v${statement.variable}`) % 3] ?? [], loops);
        return;
      case 'for':
        this.#loop((iteration) => iteration < statement.size, statement.body, loops);
        return;
      case 'while':
        this.#loop(
          (iteration) => {
            if (iteration >= statement.times) return false;
            if (iteration < statement.limit) return true;
            this.#fail(new Thrown('MaxIterationsError'));
            return false;
          },
          statement.body,
          loops,
        );
        return;
      case 'try':
        this.#try(statement, loops);
        return;
      case 'retry':
        this.#retry(statement, loops);
        return;
      case 'end attempt':
        if (this.#retries > 0) throw new AttemptEnd(statement.works);
        this.#statement(jumpOutsideLoops, loops);
        return;
      case 'guard':
        this.#guard(statement, loops);
        return;
      case 'call':
        this.#call(statement, loops);
        return;
      case 'beside':
        throw new Error('the oracle knows no paths side by side');
      case 'fork': {
        const written = this.#apart(statement.branches.map((branch) => () => this.region(branch, [])));
        for (const variables of written) for (const [name, value] of variables) this.#variables.set(name, value);
        return;
      }
      case 'each':
        this.#each(statement);
        return;
    }
  }

  #each({ size, batch, body }: Extract<Statement, { do: 'each' }>): void {
    const loop = Symbol('items');
    let isBroken = false;
    const item = () => {
      try {
        this.region(body, [loop]);
      } catch (error) {
        if (!(error instanceof Jump) || error.loop !== loop) throw error;
        isBroken ||= error.kind === 'break';
      }
    };
    const failures: Thrown[] = [];
    for (let from = 0; from < size && !isBroken; from += batch) {
      this.#apart(
        Array.from({ length: Math.min(batch, size - from) }, () => item),
        failures,
      );
    }
    this.#failWithFirst(failures);
  }

  /** Runs each on the variables as they are now; gives what each has written. */
  #apart(works: readonly (() => void)[], failures?: Thrown[]): readonly ReadonlyMap<string, JsonValue>[] {
    const [before, retries] = [this.#variables, this.#retries];
    const failed = failures ?? [];
    this.#retries = 0;
    const written = works.map((work) => {
      const own = new Written(before);
      this.#variables = own;
      try {
        work();
      } catch (error) {
        if (!(error instanceof Thrown)) throw error;
        failed.push(error);
      } finally {
        this.#variables = before;
      }
      return own.changes;
    });
    this.#retries = retries;
    if (failures === undefined) this.#failWithFirst(failed);
    return written;
  }

  /** The others are put down; outside of all regions, all of them have been already. */
  #failWithFirst([first, ...others]: readonly Thrown[]): void {
    if (first === undefined) return;
    if (this.#isTaken()) this.errors += others.length;
    throw first;
  }

  #loop(goesOn: (iteration: number) => boolean, body: Block, loops: readonly symbol[]): void {
    const loop = Symbol('loop');
    for (let iteration = 0; goesOn(iteration); iteration += 1) {
      try {
        this.region(body, [...loops, loop]);
      } catch (error) {
        if (!(error instanceof Jump) || error.loop !== loop) throw error;
        if (error.kind === 'break') return;
      }
    }
  }

  #retry({ attempts, body, failed }: Extract<Statement, { do: 'retry' }>, loops: readonly symbol[]): void {
    for (let attempt = 1; ; attempt += 1) {
      const error = this.#attempt(body, loops);
      if (error === null) return;
      if (attempt < attempts) continue;
      if (failed !== null) this.block(failed, loops);
      else {
        this.#fail(error);
        throw new PathEnd();
      }
      return;
    }
  }

  /** Null when it worked. */
  #attempt(body: Block, loops: readonly symbol[]): Thrown | null {
    this.#regions += 1;
    this.#retries += 1;
    try {
      this.region(body, loops);
      return null;
    } catch (end) {
      if (end instanceof Thrown) return end;
      if (!(end instanceof AttemptEnd)) throw end;
      return end.works ? null : new Thrown('RetryFailed');
    } finally {
      this.#regions -= 1;
      this.#retries -= 1;
    }
  }

  #guard({ body, handler, last }: Extract<Statement, { do: 'guard' }>, loops: readonly symbol[]): void {
    let error: Thrown | undefined;
    this.#regions += 1;
    try {
      try {
        try {
          this.region(body, loops);
        } catch (thrown) {
          if (!(thrown instanceof Thrown) || handler === null) throw thrown;
          this.region(handler, loops);
        }
      } finally {
        if (last !== null) this.region(last, loops);
      }
    } catch (thrown) {
      if (!(thrown instanceof Thrown)) throw thrown;
      error = thrown;
    } finally {
      this.#regions -= 1;
    }
    if (error !== undefined) this.#fail(error);
    throw new PathEnd();
  }

  /** A program of its own, with variables of its own. */
  #call({ body, handled }: Extract<Statement, { do: 'call' }>, loops: readonly symbol[]): void {
    const [variables, regions, retries] = [this.#variables, this.#regions, this.#retries];
    let error: Thrown | undefined;
    this.#variables = initialVariables();
    this.#regions = 0;
    this.#retries = 0;
    this.#calls += 1;
    try {
      this.region(body, []);
    } catch (thrown) {
      if (!(thrown instanceof Thrown)) throw thrown;
      error = thrown;
    } finally {
      this.#variables = variables;
      this.#regions = regions;
      this.#retries = retries;
      this.#calls -= 1;
    }
    if (error === undefined) return;
    if (handled === null) this.#fail(error);
    else this.block(handled, loops);
  }

  #try(statement: Extract<Statement, { do: 'try' }>, loops: readonly symbol[]): void {
    let error: Thrown | undefined;
    this.#regions += 1;
    try {
      this.#guarded(statement, loops);
    } catch (thrown) {
      if (!(thrown instanceof Thrown)) throw thrown;
      error = thrown;
    } finally {
      this.#regions -= 1;
    }
    if (error !== undefined) this.#fail(error);
  }

  #guarded(
    { body, catch: handler, finally: cleanup }: Extract<Statement, { do: 'try' }>,
    loops: readonly symbol[],
  ): void {
    let hadError = false;
    try {
      try {
        this.region(body, loops);
      } catch (error) {
        if (!(error instanceof Thrown)) throw error;
        hadError = true;
        if (handler === null && cleanup !== null) throw error;
        this.#variables.set('error_type', error.type);
        this.region(handler ?? defaultHandler, loops);
      }
    } finally {
      if (cleanup !== null) {
        this.#variables.set('had_error', hadError);
        this.region(cleanup, loops);
      }
    }
  }
}

/** A copy of variables that knows what has been set since. */
class Written extends Map<string, JsonValue> {
  readonly changes = new Map<string, JsonValue>();

  override set(name: string, value: JsonValue): this {
    // Not there yet while the copy is made.
    this.changes?.set(name, value);
    return super.set(name, value);
  }
}
