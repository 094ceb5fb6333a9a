/** The job process of these tests. */
import { createNodeRegistry } from '../../../src/model/registry.ts';
import { serveJobs } from '../../../src/processes/child/serve-jobs.ts';
import { misbehavingNodes } from './misbehaving-nodes.ts';

await serveJobs({
  open: async (setup) => {
    if (setup.broken === true) throw new Error('the node library is broken');
    return { registry: createNodeRegistry(misbehavingNodes) };
  },
});
