import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/index.ts';
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

it('variables that are nested too deeply are refused when enqueued, and do no harm to the claim that brings them', async () => {
  const variables = JSON.parse(`${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`) as JsonObject;
  const claim = { job_id: '00000000-0000-4000-8000-000000000001', lease_token: '1', workflow: '{}', variables };
  const rest = { attempt: 1, max_attempts: 1, on_lost: 'hold', lease_ms: 1_000 };
  const gateway = new JobGateway({ rpc: async () => [{ ...claim, ...rest }] as unknown as JsonObject[] });
  await expect(gateway.enqueueJob({ workflow: '{}', variables })).rejects.toMatchObject({ code: 'TOO_DEEP' });
  const [robotId, requestId] = [claim.job_id, claim.job_id];
  expect(
    await gateway.claimJobs({ robotId, requestId, limit: 1, lockTimeoutMs: 1_000, capabilities: [], tags: [] }),
  ).toMatchObject([{ leaseToken: '1' }]);
});
