/**
 * Which kills strike where. Each job is killed once at each of the four named points and once at random; the supervisor
 * and the job process take turns, so that of ten kills in a row each of the two is hit once at each point. Chance has its
 * say here and nowhere else: a seed says what happens.
 *
 * A node whose process dies three times in a row fails: that rule has its own tests (`misbehaving-nodes.test.ts`), and a
 * job that it ends shows nothing of the kills that would have followed. So no step is under way at more than two of the
 * kills of its process.
 */
import type { KillPoint, SeededRandom, Victim } from '@casare/testing';
import { buildShape, type Shape, shapeNames } from './shapes.ts';

export interface JobPlan {
  readonly tag: string;
  readonly shape: Shape;
  readonly kills: readonly PlannedKill[];
}

export type PlannedKill =
  | {
      /** `after-effect`: its request is counted, and never answered. */
      readonly point: KillPoint | 'after-effect';
      readonly victim: Victim;
      readonly node: string;
      /** How many times the node comes to the point before. */
      readonly passes: number;
    }
  /** Some time after an effect, counted from the job's first. */
  | { readonly point: 'at-random'; readonly victim: Victim; readonly afterEffects: number; readonly delayMs: number };

export const killMoments = ['before-intent', 'after-intent', 'after-effect', 'after-result', 'at-random'] as const;

/**
 * @param kills how many in all; the last job has fewer when it is no multiple of five
 * @param url of the counting server
 */
export function planKills(kills: number, url: string, random: SeededRandom): readonly JobPlan[] {
  let victims: readonly Victim[] = [];
  return Array.from({ length: Math.ceil(kills / killMoments.length) }, (_unused, index) => {
    const tag = `r${index}`;
    const shape = buildShape(shapeNames[index % shapeNames.length] ?? 'line', tag, url, random);
    victims = index % 2 === 0 ? someOfBoth(random) : victims.map((victim) => other(victim));
    let planned: readonly PlannedKill[];
    do planned = killMoments.map((point, place) => killAt(point, victims[place] ?? 'supervisor', shape, random));
    while (deathsUnderOneStep(shape, planned) > 2);
    return { tag, shape, kills: shuffled(planned, random).slice(0, kills - index * killMoments.length) };
  });
}

/** A job for a kill whose moment did not come in the job that it was meant for: nothing else strikes in this one. */
export function planAgain({ victim, point }: PlannedKill, tag: string, url: string, random: SeededRandom): JobPlan {
  const shape = buildShape('line', tag, url, random);
  return { tag, shape, kills: [killAt(point, victim, shape, random)] };
}

function killAt(point: PlannedKill['point'], victim: Victim, shape: Shape, random: SeededRandom): PlannedKill {
  // Early enough that there are effects left for a kill that finds its victim killed already.
  if (point === 'at-random') return { point, victim, afterEffects: 1 + random.below(3), delayMs: random.below(60) };
  const { node, turns } = random.pick(shape.targets);
  return { point, victim, node, passes: random.below(turns) };
}

/** How many kills of the job process may at most find one and the same step under way. */
function deathsUnderOneStep({ stages }: Shape, kills: readonly PlannedKill[]): number {
  const deaths = kills.filter(({ victim }) => victim === 'job-process');
  return Math.max(...stages.map((_stage, index) => deaths.filter((kill) => mayStrikeIn(index, kill, stages)).length));
}

/** Before a node's intent is durable, the step before it is under way; after its result, the one that follows. */
function mayStrikeIn(stage: number, kill: PlannedKill, stages: Shape['stages']): boolean {
  if (kill.point === 'at-random') return true;
  const isOfNode = (lanes: Shape['stages'][number]): boolean => lanes.flat().some(({ node }) => node === kill.node);
  const from = stages.findIndex(isOfNode) - (kill.point === 'before-intent' ? 1 : 0);
  const to = stages.findLastIndex(isOfNode) + (kill.point === 'after-result' ? 1 : 0);
  return from <= stage && stage <= to;
}

function someOfBoth(random: SeededRandom): readonly Victim[] {
  const odd = random.pick<Victim>(['supervisor', 'job-process']);
  return shuffled([odd, 'supervisor', 'supervisor', 'job-process', 'job-process'], random);
}

function other(victim: Victim): Victim {
  return victim === 'supervisor' ? 'job-process' : 'supervisor';
}

function shuffled<T>(items: readonly T[], random: SeededRandom): readonly T[] {
  const left = [...items];
  return items.map(() => left.splice(random.below(left.length), 1)[0] as T);
}
