/**
 * The tests that break things, with more rounds than in the tests of their packages. `pnpm chaos` lists them, `pnpm chaos NAME...`
 * runs some and `pnpm chaos all` all of them, one after the other; `--count N` and `--seed N` choose. Each prints a summary
 * line; the exit code is 1 when one of them found something.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Scenario, scenarios } from './chaos-scenarios.ts';

const usage = 'pnpm chaos NAME... | all [--count N] [--seed N]';
/** Seeds are whole numbers of 32 bits. */
const largest = { count: 1_000_000_000, seed: 2 ** 32 - 1 };

const { values, positionals } = argumentsOrExit();
const seed = values.seed ?? String(crypto.getRandomValues(new Uint32Array(1))[0] || 1);
if (positionals.length === 0 || values.list || values.help) list();
else await runAll(scenarios.filter(({ name }) => positionals.includes('all') || positionals.includes(name)));

function argumentsOrExit() {
  try {
    const parsed = parseArgs({
      args: process.argv.slice(2),
      allowPositionals: true,
      options: {
        count: { type: 'string' },
        seed: { type: 'string' },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const known = new Set(['all', ...scenarios.map(({ name }) => name)]);
    for (const name of parsed.positionals) {
      if (!known.has(name)) throw new Error(`there is no scenario "${name}"; without a name, all are listed`);
    }
    for (const option of ['count', 'seed'] as const) {
      const value = parsed.values[option];
      if (value === undefined || (/^[1-9]\d*$/.test(value) && Number(value) <= largest[option])) continue;
      throw new Error(`--${option} must be a whole number from 1 to ${largest[option]}`);
    }
    return parsed;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
}

function list(): void {
  console.log(`Breaks things on purpose, with real processes, databases and disks:\n\n  ${usage}\n`);
  for (const { name, what, count } of scenarios) {
    const { large, unit, minutes } = count;
    console.log(`${name.padEnd(18)} ${large.toLocaleString('en')} ${unit}, about ${duration(minutes)}`);
    for (const line of wrapped(what, 90)) console.log(`    ${line}`);
  }
  const all = scenarios.reduce((sum, { count: { minutes } }) => sum + minutes, 0);
  console.log(`\nall of them take about ${duration(all)}; most run with small counts in \`pnpm test\``);
}

function duration(minutes: number): string {
  return minutes < 60 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

async function runAll(asked: readonly Scenario[]): Promise<void> {
  const summaries: string[] = [];
  for (const scenario of asked) {
    const count = values.count ?? String(scenario.count.large);
    const seedText = scenario.seed === undefined ? '' : `, seed ${seed}`;
    console.log(`\n== ${scenario.name}: ${count} ${scenario.count.unit}${seedText}`);
    const startedAt = performance.now();
    const hasPassed = await run(scenario, count);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    const name = scenario.name.padEnd(18);
    summaries.push(`${hasPassed ? 'passed' : 'FAILED'}  ${name} ${count} in ${seconds} s${seedText}`);
    if (!hasPassed) process.exitCode = 1;
  }
  console.log(`\n${summaries.join('\n')}`);
}

function run({ dir, file, test, count: { variable }, seed: seedVariable }: Scenario, count: string): Promise<boolean> {
  const root = dirname(import.meta.dirname);
  return new Promise((resolve) => {
    const bin = join(root, 'node_modules', '.bin');
    const only = test === undefined ? [] : ['-t', test];
    const child = spawn(join(bin, 'vitest'), ['run', file, ...only, '--testTimeout=0', '--hookTimeout=0'], {
      cwd: join(root, dir),
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        PATH: `${bin}:${process.env.PATH ?? ''}`,
        [variable]: count,
        ...(seedVariable === undefined ? {} : { [seedVariable]: seed }),
      },
    });
    child.on('error', () => resolve(false));
    child.on('exit', (code) => resolve(code === 0));
  });
}
