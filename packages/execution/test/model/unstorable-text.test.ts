import { describe, expect, it } from 'vitest';
import { JobGateway } from '../../src/jobs/job-gateway.ts';
import { check, file, findingsOf } from './sample-nodes.ts';

const nul = '\u0000';

describe('the character U+0000', () => {
  it.each([
    [{ content: `a${nul}b` }, 'content'],
    [{ content: { deep: ['x', nul] } }, 'content.deep.1'],
    [{ content: { [`k${nul}`]: 1 } }, 'content.k\\u0000'],
  ])('in a node is refused by node and field (%j)', (config, field) => {
    const source = file({ w: ['WriteFileNode', { file_path: 'a.txt', ...config }] });
    const found = findingsOf(source).filter(({ code }) => code === 'INVALID_TEXT');
    expect(found).toMatchObject([{ severity: 'error', node: 'w', field }]);
    expect(check(source).workflow).toBeNull();
  });

  it('in a variable, or in an id, is refused by its name', () => {
    const variables = { ...file({ w: ['WriteFileNode', { file_path: 'a.txt' }] }), variables: { text: nul } };
    expect(findingsOf(variables)).toMatchObject([{ code: 'INVALID_TEXT', node: null, field: 'variables.text' }]);
    const id = file({ [`w${nul}`]: ['WriteFileNode', { file_path: 'a.txt' }] });
    expect(findingsOf(id)).toMatchObject([{ code: 'INVALID_TEXT', field: 'node_id' }]);
  });

  it('is refused by enqueueJob before anything is sent', async () => {
    const sent: unknown[] = [];
    const gateway = new JobGateway({
      rpc: async (name) => {
        sent.push(name);
        return 'id';
      },
    });
    const workflow = JSON.stringify({ nodes: { pay: { config: { body: `1${nul}` } } } });
    await expect(gateway.enqueueJob({ workflow })).rejects.toMatchObject({
      code: 'INVALID_TEXT',
      message: expect.stringContaining('node "pay", field "body"'),
    });
    await expect(gateway.enqueueJob({ workflow: '{}', variables: { a: { b: nul } } })).rejects.toThrow(
      'variable "a.b"',
    );
    expect(sent).toEqual([]);
    // The text itself may speak of it.
    await gateway.enqueueJob({ workflow: JSON.stringify({ nodes: { a: { config: { body: '\\u0000' } } } }) });
    expect(sent).toEqual(['enqueue_job']);
  });
});
