import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

/** What a crash might have left: a job with a step, and one of which the server knows more. */
const leftOver = `
for (const [jobId, leaseToken] of [['job-457', '18'], ['job-458', '19']]) {
  await queue.cacheJob({ jobId, workflowJson: '{}', leaseToken });
  const left = checkpoints.startJob(jobId, jobId);
  await left.saveCheckpoint({ nodeId: 'node-1', context: { variables: {}, outputs: {} } });
  left.endJob();
}
await queue.markStepsLost('job-458', { leaseToken: '19', reason: 'the server knows more' });
`;

it('the examples of the README run and print what they say', () => {
  const folder = fileURLToPath(new URL('..', import.meta.url));
  const [first, second] = [...readFileSync(`${folder}/README.md`, 'utf8').matchAll(/```ts\n(.*?)```/gs)].map(
    ([, code]) => code,
  );
  const end = 'await store.close();\n';
  expect(first?.endsWith(end)).toBe(true);
  const script = [
    first?.slice(0, -end.length),
    leftOver,
    second,
    "console.log((await queue.getJob('job-458')).status);",
    end,
  ];
  const output = execFileSync(process.execPath, ['--input-type=module-typescript', '--eval', script.join('\n')], {
    cwd: folder,
  });
  expect(output.toString()).toBe(
    "true\n[ '1 node_finished', '2 job_finished' ]\nresume after node-1 [ 'node-1' ]\nfailed\n",
  );
});
