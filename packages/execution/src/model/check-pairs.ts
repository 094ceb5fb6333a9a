/** Checks that paired nodes name partners that exist and are of the right type, and that none is left alone. */
import type { Draft, DraftNode } from './draft.ts';
import { type FindingList, quoted } from './finding.ts';
import type { Speller } from './nearest.ts';
import { breakableLoops, namedPartner, pairRules } from './pairs.ts';

export interface PairChecks {
  readonly draft: Draft;
  /** The first node of each second one; see `pairNodes`. */
  readonly pairs: ReadonlyMap<string, string>;
  readonly findings: FindingList;
  readonly speller: Speller;
}

export function checkPairs(checks: PairChecks): void {
  const paired = new Set([...checks.pairs.keys(), ...checks.pairs.values()]);
  for (const node of checks.draft.nodes.values()) {
    if (node.disabled) continue;
    const wrong = partnerKeysOf(node).filter((partner) => !checkPartner(node, partner, checks));
    if (wrong.length === 0 && needsPartner(node, checks.draft) && !paired.has(node.id)) reportAlone(node, checks);
  }
}

interface PartnerKey {
  readonly key: string;
  readonly types: ReadonlySet<string>;
}

function partnerKeysOf(node: DraftNode): readonly PartnerKey[] {
  const keys = pairRules.flatMap((rule): PartnerKey[] => {
    if (rule.first === node.typeName) return [{ key: rule.keyOfFirst, types: new Set([rule.second]) }];
    return rule.second === node.typeName ? [{ key: rule.keyOfSecond, types: new Set([rule.first]) }] : [];
  });
  const jumps = node.typeName === 'BreakNode' || node.typeName === 'ContinueNode';
  return jumps ? [...keys, { key: 'paired_loop_start_id', types: breakableLoops }] : keys;
}

/** False when the key names a node that is no partner. */
function checkPartner(node: DraftNode, { key, types }: PartnerKey, checks: PairChecks): boolean {
  const { draft, findings, speller } = checks;
  const id = namedPartner(node.config, key);
  const found = id === undefined ? undefined : draft.nodes.get(id);
  if (id === undefined) return true;
  if (found !== undefined && types.has(found.typeName)) return checkClaim(node, key, id, checks);
  const fitting = [...draft.nodes.values()].filter((candidate) => types.has(candidate.typeName));
  const suggestion = speller.nearest(
    id,
    fitting.map((candidate) => candidate.id),
  );
  const fault = found === undefined ? 'which does not exist' : `which is a ${found.typeName}`;
  const hint = suggestion === null ? '' : ` Did you mean ${quoted(suggestion)}?`;
  findings.error(
    found === undefined ? 'UNKNOWN_NODE' : 'UNPAIRED_NODE',
    `Node ${quoted(node.id)}: ${quoted(key)} must name a ${[...types].join(' or ')}, but names ${quoted(id)}, ${fault}.${hint}`,
    { node: node.id, field: key, suggestion },
  );
  return false;
}

/** A try whose catch or finally belongs to another one would silently do without; a fork needs its own join. */
function checkClaim(node: DraftNode, key: string, id: string, { pairs, findings }: PairChecks): boolean {
  const owner = pairs.get(id);
  const isOwner = node.typeName === 'TryNode' || node.typeName === 'ForkNode';
  if (!isOwner || owner === undefined || owner === node.id) return true;
  findings.error(
    'UNPAIRED_NODE',
    `Node ${quoted(node.id)}: ${quoted(key)} names ${quoted(id)}, which belongs to the ${node.typeName} ${quoted(owner)}; ` +
      'it cannot belong to both.',
    { node: node.id, field: key, suggestion: `Give each ${node.typeName} nodes of its own.` },
  );
  return false;
}

function needsPartner(node: DraftNode, draft: Draft): boolean {
  if (!pairRules.some((rule) => rule.first === node.typeName || rule.second === node.typeName)) return false;
  // A loop ends where its body's path ends, so its start needs no end node.
  if (node.typeName === 'ForLoopStartNode' || node.typeName === 'WhileLoopStartNode') return false;
  return !(node.typeName === 'TryNode' && isOlderTry(node, draft));
}

/** The older TryNode has exits of its own instead of partners; without a `catch`, its errors go on outwards. */
function isOlderTry(node: DraftNode, draft: Draft): boolean {
  return draft.connections.some(
    ({ sourceNode, sourcePort }) => sourceNode === node.id && (sourcePort === 'catch' || sourcePort === 'success'),
  );
}

function reportAlone(node: DraftNode, { draft, pairs, findings }: PairChecks): void {
  const ways = partnerKeysOf(node);
  const partners = ways.flatMap(({ types }) => [...types]);
  const remedies = ways.flatMap(({ key, types }) =>
    [...draft.nodes.values()]
      .filter(({ id, typeName }) => types.has(typeName) && !pairs.has(id))
      .map(({ id }) => `Name ${quoted(id)} in ${quoted(key)}.`),
  );
  const keys = ways.map(({ key }) => quoted(key)).join(' or ');
  findings.error(
    'UNPAIRED_NODE',
    `Node ${quoted(node.id)}: a ${node.typeName} needs its ${partners.join(' or ')}, and names none.`,
    {
      node: node.id,
      field: ways[0]?.key ?? null,
      suggestion: remedies.length === 1 ? (remedies[0] ?? null) : `Name it in ${keys}.`,
    },
  );
}
