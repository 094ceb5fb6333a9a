import { expect, it } from 'vitest';
import { choices } from '../../test/support/choices.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { CheckpointFold, deltaKind, snapshotKind } from './checkpoint-fold.ts';
import { deltaText, stateText, textsOf } from './state-delta.ts';

const keys = ['a', 'b', 'variables', 'outputs', '__proto__', ''];
const leaves: JsonValue[] = [null, 0, 'text', [], [1, { x: [] }], {}, { a: 1 }, { a: 2, b: { c: 3 } }, true];

function randomObject(next: () => number, depth: number): JsonObject {
  const entries = keys
    .filter(() => next() % 2 === 0)
    .map((key) => {
      const nested = depth > 0 && next() % 2 === 0;
      return [key, nested ? randomObject(next, depth - 1) : (leaves[next() % leaves.length] ?? null)] as const;
    });
  return Object.fromEntries(entries);
}

it('a snapshot and any number of changes bring back exactly the last state', () => {
  const source = choices(20_260_101);
  const next = (): number => source.next().value;
  const fold = new CheckpointFold();
  let before = textsOf({});
  for (let seq = 1; seq <= 2_000; seq += 1) {
    const state = randomObject(next, 2);
    const texts = textsOf(state);
    const snapshot = seq === 1 || next() % 20 === 0;
    const entry = snapshot
      ? { kind: snapshotKind, node_id: `n${seq}`, state: JSON.parse(stateText(texts)) }
      : { kind: deltaKind, node_id: `n${seq}`, delta: JSON.parse(deltaText(before, texts)) };
    fold.add(entry, { seq, recordedAtMs: seq });
    const latest = fold.latest();
    expect(latest).toMatchObject({ nodeId: `n${seq}`, checkpointId: `cp-${seq}`, savedAtMs: seq });
    expect(sorted(latest?.state)).toBe(sorted(state));
    before = texts;
  }
});

it('what an engine writes after a checkpoint is newer than its secret parts', () => {
  const fold = new CheckpointFold();
  const at = (seq: number) => ({ seq, recordedAtMs: seq });
  const secrets = [
    [['variables', 'token'], 'old'],
    [['variables', 'pin'], '1234'],
  ] as const;
  fold.add(
    { kind: snapshotKind, node_id: 'a', state: { variables: { token: null, pin: null }, n: 1 }, secrets },
    at(1),
  );
  fold.add({ kind: 'intent', node_id: 'b' }, at(2));
  fold.add({ kind: 'result', node_id: 'b', variables: { token: 'new' } }, at(3));
  expect(fold.latest()?.state).toEqual({ variables: { token: 'new', pin: '1234' }, n: 1, outputs: { b: {} } });
});

it('a change that touches nothing is empty, whatever the size of the state', () => {
  const texts = textsOf({ variables: { big: 'x'.repeat(10_000) }, list: [1] });
  expect(deltaText(texts, textsOf({ variables: { big: 'x'.repeat(10_000) }, list: [1] }))).toBe(
    '{"set":{},"unset":[],"inside":{}}',
  );
});

function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))
      : inner,
  );
}
