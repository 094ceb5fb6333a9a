import { describe, expect, it } from 'vitest';
import { codesOf, file, onlyFinding } from './sample-nodes.ts';

describe('what a for loop goes over', () => {
  const loop = (config: Record<string, unknown>) => file({ f: ['ForLoopStartNode', config] });

  it('must be given', () => {
    expect(onlyFinding(loop({}))).toMatchObject({ code: 'MISSING_CONFIG', node: 'f', field: 'items' });
    expect(onlyFinding(loop({})).message).toBe(
      'Node "f": ForLoopStartNode needs "items", "list_var" or "end", and has none of them.',
    );
  });

  it.each([
    { mode: 'items', list_var: '' },
    { mode: 'items', list_var: '', item_var: 'item', start: 0, end: 10, step: 1 },
    { mode: 'Items', end: 3 },
  ])('must be given although there is a range, when the mode is items: %j', (config) => {
    const finding = onlyFinding(loop(config));
    expect(finding).toMatchObject({ code: 'MISSING_CONFIG', node: 'f', field: 'items' });
    expect(finding.message).toContain('needs "items" or "list_var", and has neither.');
  });

  it('may be connected', () => {
    const source = file({ c: ['ComparisonNode'], f: ['ForLoopStartNode', { mode: 'items', end: 10 }] }, [
      'c -> f',
      'c.result -> f.items',
    ]);
    expect(codesOf(source)).toEqual([]);
  });

  it.each<[string, Record<string, unknown>]>([
    ['ForLoopStartNode', { mode: 'range', step: 0 }],
    ['ForLoopStartNode', { mode: 'range', step: '0' }],
    ['ForLoopStartNode', { end: 5, step: 0 }],
    ['ForLoopNode', { step: 0 }],
  ])('is no range with a step of 0: %s %j', (type, config) => {
    expect(onlyFinding(file({ f: [type, config] }))).toMatchObject({
      severity: 'error',
      code: 'INVALID_VALUE',
      node: 'f',
      field: 'step',
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ['ForLoopStartNode', { mode: 'items', items: [1], step: 0 }],
    ['ForLoopStartNode', { mode: 'range', step: '{{n}}' }],
    ['ForLoopStartNode', { mode: 'range', step: '' }],
    ['ForLoopNode', { items: [1], step: 0 }],
  ])('may have a step that no range uses, or that is not known yet: %s %j', (type, config) => {
    expect(codesOf(file({ f: [type, config] }))).toEqual([]);
  });

  it.each([
    { items: [] },
    { items: '{{rows}}' },
    { list_var: 'rows' },
    { mode: 'range' },
    { mode: '{{m}}' },
    { end: '3' },
  ])('is given by %j', (config) => {
    expect(codesOf(loop(config))).toEqual([]);
  });
});
