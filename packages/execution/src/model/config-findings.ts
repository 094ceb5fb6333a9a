/** What the checks of a node's config look at, and the findings that several of them make. */
import type { DraftNode } from './draft.ts';
import { type FindingList, quoted } from './finding.ts';
import type { Speller } from './nearest.ts';

export interface ConfigChecks {
  /** The node's data inputs that something is connected to. */
  readonly connected: ReadonlySet<string>;
  readonly findings: FindingList;
  readonly speller: Speller;
}

export interface MissingParam {
  readonly param: string;
  /** Follows the name: `for the action "Copy File"`. */
  readonly purpose?: string;
  /** Keys of the config that mean nothing: one may be the parameter, misspelled. */
  readonly unknown: readonly string[];
}

export function reportMissing(
  node: DraftNode,
  { param, purpose, unknown }: MissingParam,
  { findings, speller }: ConfigChecks,
): void {
  const misspelled = speller.nearest(param, unknown);
  const hint = misspelled === null ? '' : `, but ${quoted(misspelled)} is`;
  const what = purpose === undefined ? quoted(param) : `${quoted(param)} ${purpose}`;
  findings.error('MISSING_CONFIG', `Node ${quoted(node.id)}: ${node.typeName} needs ${what}; it is not set${hint}.`, {
    node: node.id,
    field: param,
    suggestion:
      misspelled === null
        ? `Set "${param}" in the config, or connect a value to it.`
        : `Rename ${quoted(misspelled)} to "${param}".`,
  });
}

export function reportValue(
  node: DraftNode,
  param: string,
  problem: string,
  { findings }: ConfigChecks,
  suggestion: string | null = null,
): void {
  const hint = suggestion === null ? '' : ` Did you mean ${quoted(suggestion)}?`;
  findings.error('INVALID_VALUE', `Node ${quoted(node.id)}: ${quoted(param)} ${problem}.${hint}`, {
    node: node.id,
    field: param,
    suggestion,
  });
}
