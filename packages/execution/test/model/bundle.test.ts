import { describe, expect, it } from 'vitest';
import { bundleWorkflow, type SubworkflowFile } from '../../src/model/bundle-workflow.ts';
import { check, file } from './sample-nodes.ts';

const calls = (path: string): object => file({ call: ['SubflowNode', { subflow_path: path }] });
const leaf = (text = 'leaf'): object => file({ say: ['LogNode', { message: text }] });

function folder(files: Record<string, object | string>): (path: string) => Promise<SubworkflowFile> {
  return async (path) => {
    const content = files[path];
    if (content === undefined) return { kind: 'missing' };
    return { kind: 'text', text: typeof content === 'string' ? content : JSON.stringify(content) };
  };
}

async function bundled(root: object | string, files: Record<string, object | string>) {
  const text = typeof root === 'string' ? root : JSON.stringify(root);
  return bundleWorkflow(text, folder(files));
}

describe('gathering what a workflow calls', () => {
  it('puts the files into it, each under its path, found from the folder of the file that names it', async () => {
    const { text, findings } = await bundled(calls('lib/a.json'), {
      'lib/a.json': calls('b.json'),
      'lib/b.json': calls('../c'),
      'c.json': leaf(),
    });
    expect(findings).toEqual([]);
    expect(Object.keys(JSON.parse(text).subworkflows)).toEqual(['lib/a.json', 'lib/b.json', 'c.json']);
    expect([...(check(text).workflow?.nodes.keys() ?? [])]).toEqual([
      'call',
      'call/call',
      'call/call/call',
      'call/call/call/say',
    ]);
  });

  it('leaves a file alone that calls nothing, or cannot be read', async () => {
    for (const text of [JSON.stringify(leaf(), null, 2), '{"nodes":', '[1]', '']) {
      expect(await bundled(text, {})).toEqual({ text, findings: [] });
    }
  });

  it('takes a file once that is called from several places, and one that calls itself only once', async () => {
    const root = file({ a: ['SubflowNode', { subflow_path: 'a.json' }], b: ['SubflowNode', { subflow_id: 'a' }] }, [
      'a -> b',
    ]);
    const { text } = await bundled(root, { 'a.json': calls('a.json') });
    expect(Object.keys(JSON.parse(text).subworkflows)).toEqual(['a.json']);
    expect(check(text).findings.map(({ code }) => code)).toContain('RECURSIVE_SUBWORKFLOW');
  });

  it('keeps what the file carries already, in its order and with its keys', async () => {
    const root = {
      nodes: {
        '10': { node_type: 'SubflowNode', config: { subflow_path: 'a.json' } },
        '2': { node_type: 'SubflowNode', config: { subflow_path: 'b.json' } },
      },
      connections: [],
    };
    const text = JSON.stringify(root).replace(/("2":.*?}}),?("10":.*?}})/, '$2,$1');
    const first = await bundled(text, { 'a.json': leaf(), 'b.json': leaf() });
    expect([...(check(first.text).workflow?.nodes.keys() ?? [])]).toEqual(['10', '10/say', '2', '2/say']);
    const carrying = { ...root, subworkflows: { 'a.json': leaf('mine') } };
    const second = await bundled(carrying, { 'a.json': leaf('other'), 'b.json': leaf() });
    expect(JSON.parse(second.text).subworkflows['a.json'].nodes.say.config.message).toBe('mine');
    expect(check(second.text).workflow).not.toBeNull();
  });

  it('says which node names a file that is not there, or is none', async () => {
    const missing = await bundled(calls('lib/a.json'), { 'lib/a.json': calls('gone.json') });
    expect(missing.findings).toMatchObject([{ code: 'UNKNOWN_SUBWORKFLOW', field: 'subflow_path' }]);
    expect(missing.findings[0]?.message).toContain('there is no file "lib/gone.json"');
    const broken = await bundled(calls('a.json'), { 'a.json': '{\n "nodes": {,}}' });
    expect(broken.findings[0]?.message).toContain('"a.json" is not readable as JSON: line 2, column 12');
    const refused = await bundleWorkflow(JSON.stringify(calls('a.json')), async () => ({
      kind: 'unreadable',
      reason: 'is no regular file',
    }));
    expect(refused.findings[0]?.message).toContain('"a.json" is no regular file');
  });

  it('is bounded in the number of files and in their size', async () => {
    const chain = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`${n}.json`, calls(`${n + 1}.json`)]));
    expect((await bundled(calls('0.json'), chain)).findings[0]?.message).toContain('more than 200 files');
    const { findings } = await bundleWorkflow(
      JSON.stringify(calls('a.json')),
      folder({ 'a.json': leaf('x'.repeat(500)) }),
      {
        limits: { maxFileBytes: 400 },
      },
    );
    expect(findings[0]?.message).toContain('more than the 400 bytes');
  });
});
