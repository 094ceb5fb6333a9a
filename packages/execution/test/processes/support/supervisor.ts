/** A supervisor to be killed: runs one node, tells the id of the job process. Arguments: work folder, node type. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { memoryJournal } from '../../../src/engine/memory-journal.ts';
import { ProcessRunner } from '../../../src/processes/process-runner.ts';

const [, , workDir = '', type = ''] = process.argv;
const registerPath = join(workDir, 'job-processes.json');
const runner = new ProcessRunner({
  entry: new URL('./child.ts', import.meta.url),
  setup: {},
  env: process.env,
  mark: `supervisor-${process.pid}`,
  registerPath,
  bootId: 'boot',
  journalFor: () => memoryJournal(),
  workDirFor: async () => workDir,
  warm: 0,
  logger: { log: () => undefined },
});
const config = type === 'ChildNode' ? { afterwards: 'spin' } : {};
const workflow = { nodes: { a: { node_id: 'a', node_type: type, config } }, connections: [] };
const running = runner.run(
  {
    jobId: 'job-1',
    name: 'job-1',
    workflowJson: JSON.stringify(workflow),
    variables: {},
    priority: 0,
    inDoubtPolicy: null,
    timeoutMs: null,
  },
  new AbortController().signal,
);
const [process1] = (JSON.parse(readFileSync(registerPath, 'utf8')) as { processes: { pid: number }[] }).processes;
console.log(`pid ${process1?.pid}`);
await running;
