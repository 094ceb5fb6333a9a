/**
 * The grammar of Python's format strings: literal text, `{{` and `}}`, and fields
 * `{name.attr[key]!conversion:spec}`, whose spec may hold fields of its own.
 */
import { NodeError } from '../errors.ts';

export interface FormatField {
  /** As written between the braces, without conversion and spec. */
  readonly source: string;
  /** First part: a name, digits for a position, or "" for the next position. */
  readonly name: string;
  /** Further parts: keys of objects or indices of lists. */
  readonly path: readonly string[];
  readonly conversion: string;
  readonly spec: readonly FormatPart[];
}

export type FormatPart = string | FormatField;

/** @throws NodeError `FORMAT_TEMPLATE_INVALID` */
export function parseTemplate(template: string): FormatPart[] {
  return new TemplateParser(template).parse(0);
}

class TemplateParser {
  readonly #template: string;
  #at = 0;

  constructor(template: string) {
    this.#template = template;
  }

  /** Reads parts up to the end, or inside a spec (depth above 0) up to the closing brace. */
  parse(depth: number): FormatPart[] {
    const parts: FormatPart[] = [];
    let literal = '';
    while (this.#at < this.#template.length) {
      const character = this.#template[this.#at] as string;
      if (character === '}' && depth > 0) break;
      if ((character === '{' || character === '}') && depth === 0 && this.#template[this.#at + 1] === character) {
        literal += character;
        this.#at += 2;
      } else if (character === '{') {
        if (depth > 1) throw invalid(`fields are nested too deep at position ${this.#at}`);
        if (literal !== '') parts.push(literal);
        literal = '';
        parts.push(this.#field(depth));
      } else if (character === '}') {
        throw invalid(`there is a single "}" at position ${this.#at}; write "}}" for a brace`);
      } else {
        literal += character;
        this.#at += 1;
      }
    }
    if (literal !== '') parts.push(literal);
    return parts;
  }

  #field(depth: number): FormatField {
    const start = this.#at;
    this.#at += 1;
    const source = this.#until(/[!:}]/);
    let conversion = '';
    if (this.#template[this.#at] === '!') {
      this.#at += 1;
      conversion = this.#until(/[:}]/);
      if (!/^[rsa]$/.test(conversion)) throw invalid(`"!${conversion}" is no conversion; there are !s, !r and !a`);
    }
    let spec: FormatPart[] = [];
    if (this.#template[this.#at] === ':') {
      this.#at += 1;
      spec = this.parse(depth + 1);
    }
    if (this.#template[this.#at] !== '}') {
      throw invalid(`the "{" at position ${start} is never closed; write "{{" for a brace`);
    }
    this.#at += 1;
    return { source, ...splitName(source), conversion, spec };
  }

  #until(end: RegExp): string {
    const start = this.#at;
    let inBrackets = false;
    while (this.#at < this.#template.length) {
      const character = this.#template[this.#at] as string;
      if (character === '{' && !inBrackets) throw invalid(`there is a "{" inside a field at position ${this.#at}`);
      if (character === '[') inBrackets = true;
      if (character === ']') inBrackets = false;
      if (!inBrackets && end.test(character)) break;
      this.#at += 1;
    }
    return this.#template.slice(start, this.#at);
  }
}

function splitName(source: string): { name: string; path: string[] } {
  const name = /^[^.[]*/.exec(source)?.[0] ?? '';
  const path: string[] = [];
  let rest = source.slice(name.length);
  while (rest !== '') {
    const step = /^(?:\.([^.[\]]+)|\[([^\]]+)\])/.exec(rest);
    if (step === null) throw invalid(`"{${source}}" is no field: after the name come .key or [key]`);
    path.push(step[1] ?? step[2] ?? '');
    rest = rest.slice(step[0].length);
  }
  return { name, path };
}

function invalid(problem: string): NodeError {
  return new NodeError(`The template cannot be read: ${problem}`, { code: 'FORMAT_TEMPLATE_INVALID' });
}
