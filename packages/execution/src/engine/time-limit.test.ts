import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ifNode } from '../control/branch-nodes.ts';
import { defineNode, type NodeType } from '../node-contract.ts';
import { type LimitSources, timeLimitMs } from './time-limit.ts';

function typeWith(extra: Partial<NodeType>, params: z.ZodObject = z.object({})): NodeType {
  return defineNode({
    type: 'SomeNode',
    category: 'test',
    description: 'Some.',
    params,
    outputs: [],
    effect: () => 'pure',
    run: async () => ({}),
    ...extra,
  });
}

const plain = typeWith({});
const declaring = typeWith({}, z.object({ timeout: z.number().default(30) }));
const inMs = typeWith({ timeoutMs: () => 30_000 }, z.object({ timeout: z.number().default(30_000) }));
const inMsWithout = typeWith({ timeoutMs: () => undefined }, z.object({ timeout: z.number() }));
const waiting = typeWith({ unbounded: true });
const waitingInMs = typeWith({ unbounded: true, timeoutMs: () => 30_000 });

describe('the time limit of a node', () => {
  it.each<[string, Partial<LimitSources> & { readonly type: NodeType }, number | null]>([
    ['its own seconds', { type: plain, given: 2, settingSeconds: 5 }, 2_000],
    ['its own seconds as text', { type: plain, given: '2.5' }, 2_500],
    [
      'its own seconds, which its type keeps itself, and a margin',
      { type: declaring, given: 2, params: { timeout: 2 } },
      3_000,
    ],
    [
      "the setting, when only its type's default speaks against it",
      { type: declaring, params: { timeout: 30 }, settingSeconds: 5 },
      5_000,
    ],
    ["the robot's limit", { type: plain }, 120_000],
    ["the robot's limit for a timeout of 0", { type: plain, given: 0 }, 120_000],
    ['its type’s ms and a margin', { type: inMs, given: 30_000, settingSeconds: 5 }, 31_000],
    ["its type's default ms and a margin", { type: inMs }, 31_000],
    ["the setting before its type's default ms", { type: inMs, settingSeconds: 5 }, 5_000],
    ['never ms taken for seconds', { type: inMsWithout, given: 30_000, params: { timeout: 30_000 } }, 120_000],
    ['none for a wait', { type: waiting, given: 2, settingSeconds: 5 }, null],
    ["a wait's own", { type: waitingInMs, settingSeconds: 5 }, 31_000],
    ['none for control flow', { type: ifNode, given: 2, settingSeconds: 5 }, null],
  ])('is %s', (_name, sources, expected) => {
    const limit = timeLimitMs({
      params: {},
      given: undefined,
      settingSeconds: undefined,
      defaultMs: 120_000,
      ...sources,
    });
    expect(limit).toBe(expected);
  });
});
