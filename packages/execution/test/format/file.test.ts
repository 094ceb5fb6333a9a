/** The rules of the format page's part on the file, one by one. */
import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { checkWorkflow } from '../../src/model/check-workflow.ts';
import { advanceUntil, runFile } from '../engine/harness.ts';
import { check, codesOf, file, findingsOf, registry } from '../model/sample-nodes.ts';

const log = { node_id: 'a', node_type: 'LogNode', config: { message: 'x' }, position: [0, 0] };

describe('a workflow file', () => {
  it('is a JSON object', () => {
    expect(codesOf('[]')).toEqual(['INVALID_STRUCTURE']);
  });

  it('has its name and what else is known about it in metadata, which changes nothing of a run', () => {
    const metadata = {
      ...{ name: 'Orders', description: 'd', author: 'a', version: '1', tags: ['x'], id: '1', schema_version: '1.0.0' },
      ...{ created_at: '2025-01-01', modified_at: '2025-01-02' },
    };
    const one = check({ metadata, nodes: { a: log }, connections: [] });
    const other = check({ metadata: { name: 'Other' }, nodes: { a: log }, connections: [] });
    expect(one).toMatchObject({ workflow: { name: 'Orders' }, findings: [] });
    expect(one.workflow?.hash).toBe(other.workflow?.hash);
  });

  it('holds its nodes by their ids, or as a list', () => {
    const listed = check({ nodes: [log], connections: [] });
    expect(listed.findings).toEqual([]);
    expect(listed.workflow?.hash).toBe(check({ nodes: { a: log }, connections: [] }).workflow?.hash);
  });

  it("lets the designer's extras of a node be", () => {
    const extras = { ...log, category: 'x', input_ports: [{}], output_ports: {}, color: '#fff', size: [1, 2] };
    expect(findingsOf({ nodes: { a: extras }, connections: [], frames: [{ title: 'f' }] })).toEqual([]);
  });

  it('holds its connections as a list of source_node, source_port, target_node, target_port', () => {
    const one = { source_node: 's', source_port: 'exec_out', target_node: 'a', target_port: 'exec_in' };
    const nodes = { s: { node_type: 'StartNode' }, a: log };
    expect(findingsOf({ nodes, connections: [one] })).toEqual([]);
    expect(codesOf({ nodes, connections: [{ ...one, target_port: undefined }] })).toContain('INVALID_CONNECTION');
    expect(codesOf({ nodes, connections: { one } })).toContain('INVALID_STRUCTURE');
  });

  it('gives variables as plain values, or with type and default_value', () => {
    const variables = {
      plain: [1, 'two'],
      text: { name: 'text', type: 'String', default_value: 5, description: 'd' },
      flag: { type: 'Boolean', default_value: 'true' },
      whole: { type: 'Integer', default_value: '7' },
      part: { type: 'Float', default_value: '0.5' },
      list: { type: 'List', default_value: '[1, 2]' },
      dict: { type: 'Dict', default_value: { a: 1 } },
    };
    expect({ ...check({ nodes: { a: log }, connections: [], variables }).workflow?.variables }).toEqual({
      ...{ plain: [1, 'two'], text: '5', flag: true, whole: 7, part: 0.5, list: [1, 2], dict: { a: 1 } },
    });
  });

  it.each([
    [1_001, 'TOO_MANY_NODES'],
    [1_000, undefined],
  ])('may have 1,000 nodes, not more (%i)', (count, code) => {
    const nodes = Object.fromEntries(Array.from({ length: count }, (_, n) => [`n${n}`, ['LogNode'] as const]));
    expect(codesOf(file(nodes))[0]).toBe(code);
  });

  it('may have 5,000 connections, not more', () => {
    const one = { source_node: 'a', source_port: 'x', target_node: 'b', target_port: 'y' };
    expect(codesOf({ nodes: { a: log }, connections: Array(5_001).fill(one) })).toContain('TOO_MANY_CONNECTIONS');
  });

  it('may nest config 10 levels deep, not deeper', () => {
    const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
    const withData = (levels: number): object => file({ a: ['LogNode', { data: nested(levels) }] });
    expect(codesOf(withData(10))).toEqual([]);
    expect(codesOf(withData(11))).toEqual(['CONFIG_TOO_DEEP']);
  });

  it('may have 5 MB, not more; every limit is configurable', () => {
    const text = JSON.stringify(file({ a: ['LogNode', { message: 'x'.repeat(5 * 1024 * 1024) }] }));
    expect(codesOf(text)).toEqual(['FILE_TOO_LARGE']);
    expect(checkWorkflow(text, registry, { maxFileBytes: 6 * 1024 * 1024 }).workflow).not.toBeNull();
  });
});

describe("a node's time limit", () => {
  const hanging = (config: object, settings: object) => async () => {
    const clock = new ManualClock();
    const from = clock.monotonic();
    const spec = {
      nodes: { hang: ['HangNode', config as Record<string, number>] as const },
      settings: { ...settings },
    };
    const run = await advanceUntil(clock, 500, runFile(spec, { clock }));
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'NODE_TIMEOUT' } });
    return (clock.monotonic() - from) / 1_000;
  };

  it.each([
    ['its own timeout', { timeout: 3 }, { timeout: 8 }, 3],
    ["else the file's setting in seconds", {}, { timeout: 8 }, 8],
    ["unless that is the designer's default of 30", {}, { timeout: 30 }, 120],
    ["else the robot's", {}, {}, 120],
  ])('is %s', async (_words, config, settings, seconds) => {
    const took = await hanging(config, settings)();
    expect(took).toBeGreaterThanOrEqual(seconds);
    expect(took).toBeLessThan(seconds + 2);
  });

  it('does not hold for loops and regions, only for the nodes in them', async () => {
    const clock = new ManualClock();
    const run = await advanceUntil(
      clock,
      500,
      runFile(
        {
          nodes: {
            each: ['ForLoopStartNode', { mode: 'range', end: 5 }],
            f: ['FailNode', { retry_count: 1, retry_interval: 2_000, times: 1 }],
          },
          connect: ['each.body -> f'],
          settings: { timeout: 3 },
        },
        { clock },
      ),
    );
    expect(run.end.status).toBe('completed');
  });
});

describe("the file's retry_count", () => {
  it('never repeats an effect after an ambiguous failure', async () => {
    const attempts = async (config: object): Promise<number> => {
      const clock = new ManualClock();
      const spec = {
        nodes: { f: ['FailNode', { category: 'transient', ...config }] as const },
        settings: { retry_count: 2 },
      };
      return (await advanceUntil(clock, 500, runFile(spec, { clock }))).world.marks.length;
    };
    expect(await attempts({ ambiguous: true })).toBe(1);
    expect(await attempts({ ambiguous: false })).toBe(3);
  });
});
