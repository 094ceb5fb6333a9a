/** The guide for node authors: its example package is written down, loaded by a real robot command, and run. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkNodeType } from '@casare/execution';
import { expect, it } from 'vitest';
import { runCommand } from './support/command.ts';
import { temporaryFolder } from './support/robot-home.ts';

const root = new URL('../../../', import.meta.url);
const guide = readFileSync(new URL('docs/writing-nodes.md', root), 'utf8');
const blocks = [...guide.matchAll(/```(js|json)\n(.*?)```/gs)].map(([, language, text]) => ({
  language,
  text: text ?? '',
}));
const [manifest, module, settings, restorable, repeatable, test] = blocks;

/** A home with the guide's package installed, as npm would leave it. */
function homeWithPackage(): string {
  const home = join(temporaryFolder(), 'home');
  const folder = join(home, 'node_modules', 'my-nodes');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), manifest?.text ?? '');
  writeFileSync(join(folder, 'index.js'), module?.text ?? '');
  writeFileSync(join(folder, 'restorable.js'), restorable?.text ?? '');
  writeFileSync(join(folder, 'repeatable.js'), repeatable?.text ?? '');
  writeFileSync(join(folder, 'try.js'), test?.text ?? '');
  mkdirSync(join(home, 'node_modules', '@casare'));
  symlinkSync(new URL('packages/execution', root), join(home, 'node_modules', '@casare', 'execution'));
  symlinkSync(new URL('packages/execution/node_modules/zod', root), join(home, 'node_modules', 'zod'));
  return home;
}

const workflow = {
  metadata: { name: 'guide' },
  nodes: {
    shout: { node_id: 'shout', node_type: 'ShoutNode', config: { text: 'ha', times: '2' } },
    ledger: { node_id: 'ledger', node_type: 'LedgerNode', config: { amount: 5 } },
  },
  connections: [{ source_node: 'shout', source_port: 'exec_out', target_node: 'ledger', target_port: 'exec_in' }],
};

it('has a package that the robot loads, shows and runs, and records with the run', async () => {
  const home = homeWithPackage();
  expect(JSON.parse(settings?.text ?? '')).toHaveProperty('nodes.packages');
  const env = { CASARE_HOME: home, CASARE_NODES_PACKAGES: 'my-nodes' };
  const shown = await runCommand(['nodes', 'show', 'LedgerNode', '--json'], { env });
  expect(shown).toMatchObject({ exitCode: 0, stderr: '' });
  expect(JSON.parse(shown.stdout)).toMatchObject({
    type: 'LedgerNode',
    package: 'my-nodes',
    version: '1.0.0',
    effect: 'effect',
    probes: true,
    outputs: ['line'],
    exits: ['exec_out'],
    config: [
      { name: 'file', kinds: ['text'], required: false, default: 'ledger.txt' },
      { name: 'amount', kinds: ['number'], required: true },
    ],
  });
  const work = temporaryFolder();
  writeFileSync(join(work, 'flow.json'), JSON.stringify(workflow));
  const run = await runCommand(['run', 'flow.json', '--json'], { env, cwd: work });
  expect(run.exitCode, run.stderr).toBe(0);
  expect(JSON.parse(run.stdout).outputs.shout).toEqual({ result: 'HAHA' });
  expect(readFileSync(join(work, 'ledger.txt'), 'utf8')).toMatch(/:2:ledger 5\n$/);
});

it('has a test for authors that passes', async () => {
  const { execFileSync } = await import('node:child_process');
  const folder = join(homeWithPackage(), 'node_modules', 'my-nodes');
  expect(execFileSync(process.execPath, ['try.js'], { cwd: folder, encoding: 'utf8' })).toBe('HAHAHA\n');
});

it('has examples of nodes with live values that keep to the contract', async () => {
  const folder = join(homeWithPackage(), 'node_modules', 'my-nodes');
  const types = async (file: string): Promise<unknown[]> =>
    Object.values((await import(pathToFileURL(join(folder, file)).href)) as object);
  const found = [...(await types('restorable.js')), ...(await types('repeatable.js'))];
  expect(found).toMatchObject([{ type: 'OpenConnectionNode' }, { type: 'ParserNode', unstorable: 'rerun' }]);
  for (const type of found) expect(checkNodeType(type)).toEqual([]);
});
