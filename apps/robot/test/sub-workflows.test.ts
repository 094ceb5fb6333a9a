import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommand } from './support/command.ts';
import { temporaryFolder } from './support/robot-home.ts';
import { chain } from './support/workflows.ts';

function files(content: Readonly<Record<string, string>>): { folder: string; env: Record<string, string> } {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(content)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return { folder, env: { CASARE_HOME: join(folder, 'home') } };
}

const main = chain('main', [
  { id: 'greet', type: 'SubflowNode', config: { subflow_path: 'lib/greet.json', who: 'Ada' } },
  { id: 'keep', type: 'SetVariableNode', config: { variable_name: 'said', value: '{{greet.text}}' } },
]);

const greet = JSON.stringify({
  nodes: {
    hello: { node_type: 'ConcatenateNode', config: { string_1: 'Hello, ', string_2: '{{who}}' } },
    out: { node_type: 'SubflowOutputNode', config: { port_name: 'text' } },
  },
  connections: [{ source_node: 'hello', source_port: 'result', target_node: 'out', target_port: 'value' }],
  variables: { who: 'world' },
});

describe('a workflow file that calls another one', () => {
  it('runs with what lies beside it, and shows what it got', async () => {
    const { folder, env } = files({ 'main.json': main, 'lib/greet.json': greet });
    const valid = await runCommand(['validate', 'main.json', '--strict'], { env, cwd: folder });
    expect(valid.stdout).toContain('valid');
    expect(valid.exitCode).toBe(0);
    const run = await runCommand(['run', 'main.json', '--json'], { env, cwd: folder });
    expect(JSON.parse(run.stdout)).toMatchObject({ status: 'completed', variables: { said: 'Hello, Ada' } });
  });

  it('hears of its own faults too when another file is missing', async () => {
    const faulty = main.replace('"variable_name":"said"', '"variable_nam":"said"');
    expect(faulty).not.toBe(main);
    const { folder, env } = files({ 'main.json': faulty });
    for (const command of ['validate', 'run']) {
      const { exitCode, stdout } = await runCommand([command, 'main.json', '--json'], { env, cwd: folder });
      expect(exitCode).toBe(65);
      const { findings } = JSON.parse(stdout) as { findings: { code: string; severity: string }[] };
      const codes = findings.filter(({ severity }) => severity === 'error').map(({ code }) => code);
      expect(codes, command).toEqual(['UNKNOWN_SUBWORKFLOW', 'MISSING_CONFIG']);
    }
  });

  it.each([
    ['is not there', {}, 'there is no file "lib/greet.json"'],
    ['is no JSON', { 'lib/greet.json': '{' }, 'is not readable as JSON: line 1'],
    ['is a folder', { 'lib/greet.json/x': '' }, 'is no regular file'],
    ['has a fault', { 'lib/greet.json': greet.replace('ConcatenateNode', 'ConcatenatNode') }, 'greet/hello'],
  ])('is refused when the other %s', async (_words, others, says) => {
    const { folder, env } = files({ 'main.json': main, ...others });
    const { exitCode, stdout } = await runCommand(['run', 'main.json', '--json'], { env, cwd: folder });
    expect(exitCode).toBe(65);
    expect(stdout.replaceAll('\\"', '"')).toContain(says);
  });
});
