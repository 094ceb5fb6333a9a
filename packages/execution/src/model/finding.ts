/**
 * What the validator says about a workflow file: one finding per fault, with the node, the field and the remedy.
 * Codes are stable; messages are for people and may change.
 */

export type Severity = 'error' | 'warning';

/** Every code the validator uses, with what it means. */
export const findingCodes = {
  INVALID_JSON: 'The text is not JSON; the message names line and column.',
  FILE_TOO_LARGE: 'The file is larger than the limit.',
  FILE_TOO_DEEP: 'Objects and lists are nested deeper than any workflow needs.',
  DUPLICATE_KEY: 'An object has the same key twice; only the last one counts.',
  UNKNOWN_KEY:
    'A key of the file, a node, a connection or a variable reads like one that means something, or a setting means nothing.',
  INVALID_STRUCTURE: 'A part of the file has the wrong shape.',
  EMPTY_WORKFLOW: 'There are no nodes, or only the inputs and outputs of a sub-workflow.',
  TOO_MANY_NODES: 'The workflow has more nodes than the limit.',
  TOO_MANY_CONNECTIONS: 'The workflow has more connections than the limit.',
  TOO_MANY_FINDINGS: 'Further findings were left out.',
  INVALID_NODE: 'A node has the wrong shape.',
  NODE_ID_MISMATCH: 'A node is listed under another id than its own.',
  DUPLICATE_NODE_ID: 'Two nodes have the same id.',
  UNKNOWN_NODE_TYPE: 'No node type has this name.',
  ABSTRACT_NODE_TYPE: 'The type is a base of others and never runs itself.',
  UNSUPPORTED_NODE_TYPE: 'The type needs Windows, a desktop or an account; this platform cannot run it.',
  TRIGGER_NODE: 'Triggers start workflows; they are no part of a run.',
  MULTIPLE_START_NODES: 'The workflow has more than one StartNode.',
  CONFIG_TOO_DEEP: 'A config value is nested deeper than the limit.',
  MISSING_CONFIG: 'A required parameter is neither set nor connected.',
  INVALID_VALUE: 'A config value has the wrong type or is not among the choices.',
  INVALID_TEXT: 'A text holds a character that the database cannot store.',
  INVALID_EXPRESSION: 'A condition or expression cannot be parsed.',
  UNKNOWN_CONFIG_KEY: 'The node type knows no such config key.',
  UNKNOWN_REFERENCE:
    'A template names an output that the node does not have, or (a warning) what nothing in the file sets, or a kind of value that there is not.',
  INVALID_CONNECTION: 'A connection has the wrong shape.',
  UNKNOWN_NODE: 'A connection or pairing names a node that does not exist.',
  UNKNOWN_PORT: 'A connection names a port that the node does not have.',
  EXEC_DATA_MISMATCH: 'A connection joins a control port to a data port.',
  SELF_CONNECTION: 'A node is connected to itself.',
  DUPLICATE_CONNECTION: 'The same connection is listed twice.',
  MULTIPLE_INPUTS: 'Several connections lead to one data port.',
  CYCLE: 'Nodes lead back to themselves outside a loop.',
  UNPAIRED_NODE: 'A node lacks its partner (loop start, try, catch, join), or names a wrong one.',
  OUTSIDE_LOOP: 'A break or continue stands in no loop.',
  OUTSIDE_RETRY: 'A node that ends an attempt stands in no retry body.',
  OUTSIDE_CATCH: 'A node needs an error that was caught, and stands in no catch body.',
  LEAVES_BRANCH: 'A node would act on a loop or retry body from inside a fork branch or parallel item within it.',
  UNREACHABLE_NODE: 'No path leads to the node, so it never runs.',
  INVALID_VARIABLE: 'A variable has an unknown type, or a default or (a warning) a given value that does not fit it.',
  INVALID_SETTING: 'A setting has the wrong type.',
  UNSUPPORTED_VALUE: 'A config value asks for what a robot does not do.',
  UNKNOWN_SUBWORKFLOW: 'A node calls a workflow that the file does not carry.',
  RECURSIVE_SUBWORKFLOW: 'A workflow calls itself, or calls nest too deep.',
} as const;

export type FindingCode = keyof typeof findingCodes;

export interface Finding {
  readonly severity: Severity;
  readonly code: FindingCode;
  /** Id of the node; null when the finding is about the file. */
  readonly node: string | null;
  /** Config key, port or place in the file; null when it is about the whole node. */
  readonly field: string | null;
  readonly message: string;
  /** The nearest valid name, or what to do, in words. */
  readonly suggestion: string | null;
}

export interface FindingPlace {
  readonly node?: string | null;
  readonly field?: string | null;
  readonly suggestion?: string | null;
}

const MAX_FINDINGS = 1_000;
const MAX_TEXT_LENGTH = 600;

/** A sub-workflow inside the file: the node that calls it, and the name it has in the file. */
export interface FindingScope {
  readonly caller: string;
  readonly name: string;
}

/** Gathers findings, at most 1,000 of them: a broken file must not produce a report without end (I7). */
export class FindingList {
  readonly #findings: Finding[] = [];
  #errors = 0;
  #leftOut = 0;
  /** Where what is added belongs; undefined: the outermost file. */
  #scope: FindingScope | undefined;

  error(code: FindingCode, message: string, place: FindingPlace = {}): void {
    this.#errors += 1;
    this.#add('error', code, message, place);
  }

  warning(code: FindingCode, message: string, place: FindingPlace = {}): void {
    this.#add('warning', code, message, place);
  }

  /** What `check` adds is about a sub-workflow: it names the sub-workflow, and its nodes as the engine does. */
  within(scope: FindingScope, check: () => void): void {
    const outer = this.#scope;
    this.#scope = scope;
    try {
      check();
    } finally {
      this.#scope = outer;
    }
  }

  get errorCount(): number {
    return this.#errors;
  }

  get hasErrors(): boolean {
    return this.#errors > 0;
  }

  all(): readonly Finding[] {
    if (this.#leftOut === 0) return [...this.#findings];
    const severity = this.hasErrors ? 'error' : 'warning';
    const message = `${this.#leftOut} further findings are not shown. Mend these first.`;
    return [
      ...this.#findings,
      { severity, code: 'TOO_MANY_FINDINGS', node: null, field: null, message, suggestion: null },
    ];
  }

  #add(severity: Severity, code: FindingCode, message: string, place: FindingPlace): void {
    if (this.#findings.length >= MAX_FINDINGS) {
      this.#leftOut += 1;
      return;
    }
    const { node = null, field = null, suggestion = null } = place;
    const scope = this.#scope;
    this.#findings.push({
      severity,
      code,
      node: scope === undefined ? node : node === null ? scope.caller : `${scope.caller}/${node}`,
      field,
      message: shortened(scope === undefined ? message : `In the sub-workflow ${quoted(scope.name)}: ${message}`),
      suggestion,
    });
  }
}

function shortened(message: string): string {
  return message.length > MAX_TEXT_LENGTH ? `${message.slice(0, MAX_TEXT_LENGTH - 1)}…` : message;
}

/** A name in quotes, shortened when it is long. */
export function quoted(name: string): string {
  return `"${name.length > 60 ? `${name.slice(0, 59)}…` : name}"`;
}
