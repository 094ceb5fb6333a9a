/**
 * Runs benchmarks: `pnpm bench` lists them, `pnpm bench NAME...` runs them one after the other, each in a process of
 * its own. Installs the peers that they are measured against, when one of them is not there yet.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const here = import.meta.dirname;
const names = globSync('*.bench.ts', { cwd: here })
  .map((file) => basename(file, '.bench.ts'))
  .sort();
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !names.includes(name));

if (asked.length === 0 || unknown.length > 0) {
  for (const name of unknown) console.error(`There is no benchmark "${name}".`);
  console.log(`Benchmarks: ${names.join(', ')}`);
  process.exit(unknown.length > 0 ? 2 : 0);
}

if (!isInstalled()) {
  const install = ['-y', 'pnpm@12.21.0', 'install', '--ignore-workspace', '--dir', here];
  const { status } = spawnSync('npx', install, { cwd: dirname(here), stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

for (const name of asked) {
  console.log(`\n== ${name}`);
  const args = ['--expose-gc', join(here, `${name}.bench.ts`)];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exitCode = status ?? 1;
}

function isInstalled(): boolean {
  const { dependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  return Object.keys(dependencies).every((name) => existsSync(join(here, 'node_modules', name, 'package.json')));
}
