/**
 * The tests that break things. `pnpm chaos` lists the scenarios and runs each with the small count of the ordinary tests,
 * `pnpm chaos NAME...` (or `all`) with the large one; `--count N` and `--seed N` choose, `--list` only lists. They run one
 * after the other, and each prints a summary line; the exit code is 1 when one of them found something.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

interface Scenario {
  readonly name: string;
  readonly what: string;
  /** The package's folder and the test file in it. */
  readonly dir: string;
  readonly file: string;
  /** A pattern for the test's name, where the file has several. */
  readonly test?: string;
  readonly count: { readonly variable: string; readonly ordinary: number; readonly large: number };
  /** What is counted, where the name does not say it, and how long the large count takes on two cores that are free. */
  readonly note?: string;
  /** The variable that takes a seed; absent where chance is the machine's own. */
  readonly seed?: string;
}

const scenarios: readonly Scenario[] = [
  {
    name: 'kill-points',
    what: 'robots and job processes killed at every named point and at random, against a server that counts effects',
    dir: 'apps/robot',
    file: 'test/chaos/kill-points.test.ts',
    count: { variable: 'KILLS', ordinary: 20, large: 500 },
    note: 'kills, five to a job; each costs about 3 s of processor time, mostly the restart: 500 take a quarter of an hour',
    seed: 'KILL_SEED',
  },
  {
    name: 'outages',
    what: 'PostgreSQL stopped for 5 to 60 s under three jobs, the robot killed meanwhile in half of the rounds',
    dir: 'apps/robot',
    file: 'test/chaos/lost-database.test.ts',
    test: 'no step waits',
    count: { variable: 'OUTAGE_ROUNDS', ordinary: 3, large: 50 },
    note: 'outages, of 5 s in the ordinary tests, of 33 s on average when there are more: 50 take over half an hour',
    seed: 'LOST_DATABASE_SEED',
  },
  {
    name: 'database-restarts',
    what: 'PostgreSQL behind PostgREST restarted while the robot works through many jobs',
    dir: 'apps/robot',
    file: 'test/chaos/lost-database.test.ts',
    test: 'completes once',
    count: { variable: 'RESTART_ROUNDS', ordinary: 3, large: 20 },
    seed: 'LOST_DATABASE_SEED',
  },
  {
    name: 'full-store',
    what: 'the local store at its limit under running jobs, with room afterwards by delivery or by a higher limit',
    dir: 'apps/robot',
    file: 'test/chaos/lost-database.test.ts',
    test: 'full meanwhile',
    count: { variable: 'FULL_STORE_ROUNDS', ordinary: 3, large: 20 },
  },
  {
    name: 'lease-model',
    what: 'interleavings of claim, expiry, late write, sync and cancel on real PostgreSQL, against the model',
    dir: 'packages/local-supabase',
    file: 'test/model/lease-model.test.ts',
    count: { variable: 'LEASE_MODEL_RUNS', ordinary: 150, large: 5_000 },
    seed: 'LEASE_MODEL_SEED',
  },
  {
    name: 'fence-storm',
    what: 'late writes under old tokens, from four connections at once',
    dir: 'packages/local-supabase',
    file: 'test/fence-storm.test.ts',
    count: { variable: 'FENCE_STORM_WRITES', ordinary: 10_000, large: 1_000_000 },
  },
  {
    name: 'store-damage',
    what: 'flipped bits, zeroed sectors and cuts at random places of a store, its log and its marks',
    dir: 'packages/offline-store',
    file: 'test/damage-drill.test.ts',
    count: { variable: 'DAMAGE_ROUNDS', ordinary: 200, large: 5_000 },
    seed: 'DAMAGE_SEED',
  },
  {
    name: 'lease-clocks',
    what: 'wall clock set, machine suspended and rebooted, robot killed, server away: nobody acts past a deadline',
    dir: 'apps/robot',
    file: 'test/chaos/lease-clocks.test.ts',
    count: { variable: 'LEASE_CLOCK_ROUNDS', ordinary: 8, large: 2_000 },
    seed: 'LEASE_CLOCK_SEED',
  },
  {
    name: 'stopped-together',
    what: 'robot and job process stopped together (SIGSTOP) past a lease that passes on, and woken: no node begins',
    dir: 'apps/robot',
    file: 'test/chaos/stopped-together.test.ts',
    count: { variable: 'STOP_ROUNDS', ordinary: 1, large: 100 },
    seed: 'STOP_SEED',
  },
  {
    name: 'slow-disk',
    what: 'a disk whose every commit takes 5 s: no heartbeat is late and no lease lost',
    dir: 'apps/robot',
    file: 'test/chaos/slow-disk.test.ts',
    count: { variable: 'SLOW_DISK_ROUNDS', ordinary: 1, large: 10 },
  },
  {
    name: 'one-owner',
    what: 'two robots with one home, two resumes of one run: the second is told who holds it, and a kill frees it',
    dir: 'apps/robot',
    file: 'test/chaos/one-owner.test.ts',
    count: { variable: 'ONE_OWNER_ROUNDS', ordinary: 1, large: 1 },
  },
  {
    name: 'audit-kills',
    what: 'writers of the audit log that are killed or end at any moment: nothing acknowledged is lost, the chain verifies',
    dir: 'packages/observability',
    file: 'test/audit-crash.test.ts',
    test: 'dies at any moment',
    count: { variable: 'AUDIT_KILLS', ordinary: 20, large: 500 },
  },
  {
    name: 'audit-segments',
    what: 'audit entries through many segments that are closed and compressed meanwhile',
    dir: 'packages/observability',
    file: 'test/audit-files.test.ts',
    test: 'segments under load',
    count: { variable: 'AUDIT_ENTRIES', ordinary: 100_000, large: 1_000_000 },
  },
  {
    name: 'mutated-files',
    what: 'damaged workflow files: no crash, no hang, no run, a message that names the place',
    dir: 'packages/execution',
    file: 'test/fuzz/mutated-files.test.ts',
    count: { variable: 'CASARE_FUZZ_FILES', ordinary: 2_000, large: 100_000 },
    seed: 'CASARE_FUZZ_SEED',
  },
  {
    name: 'random-graphs',
    what: 'random graphs on which validator and engine must agree',
    dir: 'packages/execution',
    file: 'test/fuzz/agreement.test.ts',
    count: { variable: 'CASARE_FUZZ_GRAPHS', ordinary: 400, large: 10_000 },
    seed: 'CASARE_FUZZ_SEED',
  },
  {
    name: 'breaker',
    what: 'interleavings of calls, results, aborts and time against a plain model of the breaker',
    dir: 'packages/connection',
    file: 'test/breaker-interleavings.test.ts',
    count: { variable: 'CASARE_PROPERTY_RUNS', ordinary: 400, large: 4_000 },
  },
  {
    name: 'leaks',
    what: 'calls after which no timer and no listener may be left',
    dir: 'packages/connection',
    file: 'test/leaks.test.ts',
    count: { variable: 'CASARE_LEAK_CALLS', ordinary: 100_000, large: 1_000_000 },
  },
];

const root = dirname(import.meta.dirname);
const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: { count: { type: 'string' }, seed: { type: 'string' }, list: { type: 'boolean', default: false } },
});
const unknown = positionals.filter((name) => name !== 'all' && !scenarios.some((scenario) => scenario.name === name));
for (const name of unknown) console.error(`There is no scenario "${name}".`);
for (const [option, value] of Object.entries({ count: values.count, seed: values.seed })) {
  if (value === undefined || /^[1-9]\d{0,8}$/.test(value)) continue;
  console.error(`--${option} must be a whole number of at least 1.`);
  process.exit(2);
}
const isOrdinary = positionals.length === 0;
if (isOrdinary || unknown.length > 0 || values.list) {
  for (const { name, what, count, note } of scenarios) {
    console.log(`${name.padEnd(18)} ${what} (${count.ordinary}, or ${count.large} when it is named)`);
    if (note !== undefined) console.log(`${''.padEnd(18)}   ${note}`);
  }
}
if (unknown.length > 0) process.exit(2);
if (values.list) process.exit(0);

const asked = scenarios.filter(({ name }) => isOrdinary || positionals.includes('all') || positionals.includes(name));
const seed = values.seed ?? String(crypto.getRandomValues(new Uint32Array(1))[0] ?? 1);
const summaries: string[] = [];
for (const scenario of asked) {
  const count = values.count ?? String(isOrdinary ? scenario.count.ordinary : scenario.count.large);
  console.log(`\n== ${scenario.name}: ${count}${scenario.seed === undefined ? '' : `, seed ${seed}`}`);
  const startedAt = performance.now();
  const hasPassed = await run(scenario, count);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const seedText = scenario.seed === undefined ? '' : ` seed ${seed}`;
  summaries.push(`${hasPassed ? 'passed' : 'FAILED'}  ${scenario.name.padEnd(18)} ${count} in ${seconds} s${seedText}`);
  if (!hasPassed) process.exitCode = 1;
}
console.log(`\n${summaries.join('\n')}`);

function run({ dir, file, test, count: { variable }, seed: seedVariable }: Scenario, count: string): Promise<boolean> {
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
