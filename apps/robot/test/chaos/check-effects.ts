/** What a server that counts has seen of one job, against what its workflow means. The robot is not asked. */
import type { Effect } from './counting-server.ts';
import type { EffectKind, ExpectedEffect, Shape } from './shapes.ts';

const once: readonly EffectKind[] = ['post', 'post-or-fail', 'probed'];

/**
 * Every effect happened, in an order that the workflow allows; what has an effect happened once; and a node was asked
 * for again only while nothing behind it had begun: a step that was acknowledged is never executed again.
 *
 * @returns what is wrong, for people; empty when nothing is
 */
export function violationsOf(shape: Shape, seen: readonly Effect[]): readonly string[] {
  const known = new Set(shape.stages.flat(2).map(keyOf));
  const problems = seen.filter((effect) => !known.has(keyOf(effect))).map((effect) => `unknown: ${keyOf(effect)}`);
  let ended = -1;
  for (const stage of shape.stages) {
    let end = ended;
    for (const lane of stage) {
      let behind = ended;
      for (const expected of lane) {
        const places = placesOf(seen, expected);
        problems.push(...countProblems(expected, places.length));
        const early = places.find((place) => place < behind);
        if (early !== undefined) problems.push(`${keyOf(expected)} was asked for again after what follows it`);
        behind = Math.max(behind, ...places);
      }
      end = Math.max(end, behind);
    }
    ended = end;
  }
  const taken = shape.either.filter((node) => seen.some((effect) => effect.node === node));
  if (shape.either.length > 0 && taken.length !== 1) problems.push(`of ${shape.either}, ${taken.length} happened`);
  return problems;
}

function countProblems(expected: ExpectedEffect, count: number): readonly string[] {
  if (count === 0 && !expected.optional) return [`${keyOf(expected)} (${expected.kind}) never happened`];
  if (count > 1 && once.includes(expected.kind))
    return [`${keyOf(expected)} (${expected.kind}) happened ${count} times`];
  return [];
}

function placesOf(seen: readonly Effect[], expected: ExpectedEffect): readonly number[] {
  return seen.flatMap((effect, place) => (keyOf(effect) === keyOf(expected) ? [place] : []));
}

function keyOf({ node, turn }: { readonly node: string; readonly turn: number }): string {
  return `${node}/${turn}`;
}
