/** What the robot says to node packages that it cannot use. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadNodePackages } from '../src/node-packages/load-node-packages.ts';
import { NodePackageError } from '../src/node-packages/package-error.ts';
import { runCommand } from './support/command.ts';
import { temporaryFolder } from './support/robot-home.ts';

const node = (type: string, more = ''): string =>
  `{ type: '${type}', category: 'test', description: 'A test node.', params: z.object({}), outputs: [], effect: () => 'pure', run: async () => ({}), ${more} }`;
const zod = new URL('../../../packages/execution/node_modules/zod/index.js', import.meta.url).href;
const moduleOf = (...types: string[]): string =>
  `import { z } from '${zod}';\nexport const nodes = [${types.join(', ')}];\n`;

function homeWith(files: Readonly<Record<string, string>>): string {
  const home = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(home, path, '..'), { recursive: true });
    writeFileSync(join(home, path), text);
  }
  return home;
}

/** Names that built-in types have. */
const taken = new Map([
  ['WriteFileNode', '@casare/nodes'],
  ['IfNode', 'the engine'],
]);

/** The robot's answer when its home has these files and its configuration names these packages. */
async function load(files: Readonly<Record<string, string>>, packages: readonly string[]) {
  const home = homeWith(files);
  writeFileSync(join(home, 'config.json'), JSON.stringify({ nodes: { packages } }));
  return { home, ...(await runCommand(['nodes', 'list', '--json'], { env: { CASARE_HOME: home }, cwd: home })) };
}

describe('a node package', () => {
  it('may be a file, a folder, or installed, and each is listed with its version', async () => {
    const { stdout, exitCode, stderr } = await load(
      {
        'one.mjs': moduleOf(node('OneNode')),
        'two/package.json': '{ "name": "two", "version": "2.0.0", "main": "main.mjs" }',
        'two/main.mjs': moduleOf(node('TwoNode')),
        'node_modules/@me/three/package.json':
          '{ "name": "@me/three", "version": "3.1.0", "exports": { "import": "./m.mjs" } }',
        'node_modules/@me/three/m.mjs': moduleOf(node('ThreeNode')),
      },
      ['./one.mjs', './two', '@me/three'],
    );
    expect(exitCode, stderr).toBe(0);
    const rows = JSON.parse(stdout) as { type: string; package: string; version: string }[];
    const mine = rows.filter(({ type }) => /^(One|Two|Three)Node$/.test(type));
    expect(mine).toEqual([
      expect.objectContaining({
        type: 'OneNode',
        package: './one.mjs',
        version: expect.stringMatching(/^mjs-[0-9a-f]{12}$/),
      }),
      expect.objectContaining({ type: 'TwoNode', package: 'two', version: expect.stringMatching(/^2\.0\.0-mjs-/) }),
      expect.objectContaining({ type: 'ThreeNode', package: '@me/three', version: '3.1.0' }),
    ]);
    expect(rows).toContainEqual(expect.objectContaining({ type: 'WriteFileNode', package: '@casare/nodes' }));
    expect(rows).toContainEqual(expect.objectContaining({ type: 'IfNode', package: '@casare/execution' }));
  });

  it.each<[string, Record<string, string>, string[], RegExp]>([
    ['that is not there', {}, ['no-such-package'], /"no-such-package" was not found in .*npm install --prefix/],
    ['whose path leads nowhere', {}, ['./gone.mjs'], /"\.\/gone\.mjs" was not found: there is no .*gone\.mjs/],
    [
      'that exports no list',
      { 'a.mjs': 'export const x = 1;' },
      ['./a.mjs'],
      /exports no list of node types: .*`nodes`/,
    ],
    ['with a syntax error', { 'a.mjs': 'export const = 1;' }, ['./a.mjs'], /could not be loaded from .*a\.mjs/],
    ['that throws while it loads', { 'a.mjs': "throw new Error('no licence')" }, ['./a.mjs'], /no licence/],
    [
      'with a type that breaks the contract',
      { 'a.mjs': "export const nodes = [{ type: 'X' }];" },
      ['./a.mjs'],
      /"X": .*params must be a zod object|"X": .*run must be a function/,
    ],
    [
      'with the name of a built-in type',
      { 'a.mjs': moduleOf(node('WriteFileNode')) },
      ['./a.mjs'],
      /"WriteFileNode", and so has @casare\/nodes/,
    ],
    [
      'with an alias that is taken',
      { 'a.mjs': moduleOf(node('MineNode', "aliases: ['IfNode']")) },
      ['./a.mjs'],
      /"IfNode", and so has the engine/,
    ],
    [
      'with a name of another package',
      { 'a.mjs': moduleOf(node('MineNode')), 'b.mjs': moduleOf(node('MineNode')) },
      ['./a.mjs', './b.mjs'],
      /"\.\/b\.mjs" has a node type "MineNode", and so has the node package "\.\/a\.mjs"/,
    ],
    [
      'for another contract',
      {
        'p/package.json': '{"name":"p","main":"i.mjs","casare":{"nodeContract":99}}',
        'p/i.mjs': moduleOf(node('MineNode')),
      },
      ['./p'],
      /was built for version 99 of the node contract, and this robot has version 1/,
    ],
    [
      'that imports what is not there',
      { 'p/a.mjs': "import 'no-such-dependency';\nexport const nodes = [];" },
      ['./p/a.mjs'],
      /'no-such-dependency'.*; install it there: npm install --prefix \/.*\/p no-such-dependency$/,
    ],
    ['without a module', { 'p/package.json': '{"name":"p"}' }, ['./p'], /has no module to load/],
  ])('%s is refused, with its name and the remedy', async (_name, files, packages, message) => {
    const home = homeWith(files);
    const problem = await loadNodePackages(packages, { home, cwd: home }, taken).then(
      () => null,
      (error: Error) => error,
    );
    expect(problem).toBeInstanceOf(NodePackageError);
    expect(problem?.message).toMatch(message);
    expect(problem?.message).toContain(packages.at(-1));
  });

  it('that cannot be used ends a command with the exit code for configuration, and without a stack', async () => {
    const { exitCode, stderr, stdout } = await load({}, ['no-such-package']);
    expect(exitCode).toBe(78);
    expect(stderr).toMatch(/"no-such-package" was not found in .*npm install --prefix/);
    expect(stderr).not.toContain('    at ');
    expect(stdout).toBe('');
  });
});

describe('nodes show', () => {
  const env = { CASARE_HOME: temporaryHome() };

  it('names the nearest type for one that there is not', async () => {
    const answer = await runCommand(['nodes', 'show', 'WriteFilNode'], { env });
    expect(answer).toMatchObject({ exitCode: 2, stdout: '' });
    expect(answer.stderr).toContain('did you mean WriteFileNode?');
  });

  it('tells people about keys, defaults, choices, ports and effect', async () => {
    const { stdout } = await runCommand(['nodes', 'show', 'HttpRequestNode'], { env });
    expect(stdout).toMatch(/url +text; required/);
    expect(stdout).toMatch(/method +one of GET, POST, .*; default "GET"/);
    expect(stdout).toMatch(/outputs +response_body, /);
    expect(stdout).toMatch(/package +@casare\/nodes@/);
    expect(stdout).toMatch(/effect +depends on its config \(pure with the defaults\)/);
  });

  it('lists one category, and names those that there are', async () => {
    const list = await runCommand(['nodes', 'list', '--category', 'http'], { env });
    expect(list.stdout.trim().split('\n')).toEqual([expect.stringMatching(/^HttpRequestNode +http /)]);
    const none = await runCommand(['nodes', 'list', '--category', 'htp'], { env });
    expect(none).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('http') });
  });
});

function temporaryHome(): string {
  return join(import.meta.dirname, 'no-such-home');
}
