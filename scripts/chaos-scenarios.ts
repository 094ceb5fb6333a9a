/** The tests that break things: where each is, what it counts, and how long a large count takes on two cores that are free. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  /** The package's folder and the test file in it. */
  readonly dir: string;
  readonly file: string;
  /** A pattern for the test's name, where the file has several. */
  readonly test?: string;
  /** `ordinary`: in the tests of its package. `large`: here, unless `--count` says otherwise; takes about `minutes`. */
  readonly count: {
    readonly variable: string;
    readonly unit: string;
    readonly ordinary: number;
    readonly large: number;
    readonly minutes: number;
  };
  /** The variable that takes a seed; absent where chance is the machine's own. */
  readonly seed?: string;
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'kill-points',
    what: 'robots and job processes killed at every named point and at random, against a server that counts effects',
    dir: 'apps/robot',
    file: 'test/chaos/kill-points.test.ts',
    count: { variable: 'KILLS', unit: 'kills', ordinary: 20, large: 500, minutes: 15 },
    seed: 'KILL_SEED',
  },
  {
    name: 'outages',
    what: 'PostgreSQL stopped for 5 to 60 s under three jobs, the robot killed meanwhile in half of the rounds',
    dir: 'apps/robot',
    file: 'test/chaos/lost-database.test.ts',
    test: 'no step waits',
    count: { variable: 'OUTAGE_ROUNDS', unit: 'outages', ordinary: 3, large: 50, minutes: 35 },
    seed: 'LOST_DATABASE_SEED',
  },
  {
    name: 'database-restarts',
    what: 'PostgreSQL behind PostgREST restarted while the robot works through many jobs',
    dir: 'apps/robot',
    file: 'test/chaos/lost-database.test.ts',
    test: 'completes once',
    count: { variable: 'RESTART_ROUNDS', unit: 'restarts', ordinary: 3, large: 20, minutes: 2 },
    seed: 'LOST_DATABASE_SEED',
  },
  {
    name: 'dropped-replies',
    what: 'every third answer of the database lost, late, doubled or a 502 although all is done, and the robot killed once',
    dir: 'apps/robot',
    file: 'test/chaos/dropped-replies.test.ts',
    count: { variable: 'DROPPED_REPLY_JOBS', unit: 'jobs', ordinary: 0, large: 20, minutes: 3 },
    seed: 'DROPPED_REPLY_SEED',
  },
  {
    name: 'full-store',
    what: 'the local store at its limit under running jobs, with room afterwards by delivery or by a higher limit',
    dir: 'apps/robot',
    file: 'test/chaos/lost-database.test.ts',
    test: 'full meanwhile',
    count: { variable: 'FULL_STORE_ROUNDS', unit: 'rounds', ordinary: 3, large: 20, minutes: 4 },
  },
  {
    name: 'full-disk',
    what: 'the disk of the robot full to its last byte under four jobs, and freed again (Linux, unprivileged namespaces)',
    dir: 'apps/robot',
    file: 'test/chaos/full-disk.test.ts',
    count: { variable: 'FULL_DISK_ROUNDS', unit: 'rounds', ordinary: 0, large: 3, minutes: 3 },
  },
  {
    name: 'lease-model',
    what: 'interleavings of claim, expiry, late write, sync and cancel on real PostgreSQL, against the model',
    dir: 'packages/local-supabase',
    file: 'test/model/lease-model.test.ts',
    count: { variable: 'LEASE_MODEL_RUNS', unit: 'runs', ordinary: 150, large: 5_000, minutes: 2 },
    seed: 'LEASE_MODEL_SEED',
  },
  {
    name: 'fence-storm',
    what: 'late writes under old tokens, from four connections at once',
    dir: 'packages/local-supabase',
    file: 'test/fence-storm.test.ts',
    count: { variable: 'FENCE_STORM_WRITES', unit: 'writes', ordinary: 10_000, large: 1_000_000, minutes: 16 },
  },
  {
    name: 'store-damage',
    what: 'flipped bits, zeroed sectors and cuts at random places of a store, its log and its marks',
    dir: 'packages/offline-store',
    file: 'test/damage-drill.test.ts',
    count: { variable: 'DAMAGE_ROUNDS', unit: 'damages', ordinary: 200, large: 5_000, minutes: 24 },
    seed: 'DAMAGE_SEED',
  },
  {
    name: 'lease-clocks',
    what: 'wall clock set, machine suspended and rebooted, robot killed, server away: nobody acts past a deadline',
    dir: 'apps/robot',
    file: 'test/chaos/lease-clocks.test.ts',
    count: { variable: 'LEASE_CLOCK_ROUNDS', unit: 'rounds', ordinary: 8, large: 2_000, minutes: 5 },
    seed: 'LEASE_CLOCK_SEED',
  },
  {
    name: 'stopped-together',
    what: 'robot and job process stopped together (SIGSTOP) past a lease that passes on, and woken: no node begins',
    dir: 'apps/robot',
    file: 'test/chaos/stopped-together.test.ts',
    count: { variable: 'STOP_ROUNDS', unit: 'rounds', ordinary: 1, large: 100, minutes: 20 },
    seed: 'STOP_SEED',
  },
  {
    name: 'slow-disk',
    what: 'a disk whose every commit takes 5 s: no heartbeat is late and no lease lost',
    dir: 'apps/robot',
    file: 'test/chaos/slow-disk.test.ts',
    count: { variable: 'SLOW_DISK_ROUNDS', unit: 'rounds', ordinary: 1, large: 10, minutes: 20 },
  },
  {
    name: 'one-owner',
    what: 'two robots with one home, two resumes of one run: the second is told who holds it, and a kill frees it',
    dir: 'apps/robot',
    file: 'test/chaos/one-owner.test.ts',
    count: { variable: 'ONE_OWNER_ROUNDS', unit: 'round', ordinary: 1, large: 1, minutes: 1 },
  },
  {
    name: 'audit-kills',
    what: 'writers of the audit log that are killed or end at any moment: nothing acknowledged is lost, the chain verifies',
    dir: 'packages/observability',
    file: 'test/audit-crash.test.ts',
    test: 'dies at any moment',
    count: { variable: 'AUDIT_KILLS', unit: 'kills', ordinary: 20, large: 500, minutes: 85 },
  },
  {
    name: 'audit-segments',
    what: 'audit entries through many segments that are closed and compressed meanwhile',
    dir: 'packages/observability',
    file: 'test/audit-files.test.ts',
    test: 'segments under load',
    count: { variable: 'AUDIT_ENTRIES', unit: 'entries', ordinary: 100_000, large: 1_000_000, minutes: 1 },
  },
  {
    name: 'mutated-files',
    what: 'damaged workflow files: no crash, no hang, no run, a message that names the place',
    dir: 'packages/execution',
    file: 'test/fuzz/mutated-files.test.ts',
    count: { variable: 'CASARE_FUZZ_FILES', unit: 'files', ordinary: 2_000, large: 100_000, minutes: 2 },
    seed: 'CASARE_FUZZ_SEED',
  },
  {
    name: 'random-graphs',
    what: 'random graphs on which validator and engine must agree',
    dir: 'packages/execution',
    file: 'test/fuzz/agreement.test.ts',
    count: { variable: 'CASARE_FUZZ_GRAPHS', unit: 'graphs', ordinary: 400, large: 10_000, minutes: 2 },
    seed: 'CASARE_FUZZ_SEED',
  },
  {
    name: 'doubts',
    what: 'random programs of effects that die, are cancelled and answered at random: each recorded, asked about or named',
    dir: 'packages/execution',
    file: 'test/engine/doubt-property.test.ts',
    count: { variable: 'CASARE_FUZZ_PROGRAMS', unit: 'programs', ordinary: 40, large: 5_000, minutes: 6 },
  },
  {
    name: 'breaker',
    what: 'interleavings of calls, results, aborts and time against a plain model of the breaker',
    dir: 'packages/connection',
    file: 'test/breaker-interleavings.test.ts',
    count: { variable: 'CASARE_PROPERTY_RUNS', unit: 'runs', ordinary: 400, large: 4_000, minutes: 1 },
  },
  {
    name: 'leaks',
    what: 'calls after which no timer and no listener may be left',
    dir: 'packages/connection',
    file: 'test/leaks.test.ts',
    count: { variable: 'CASARE_LEAK_CALLS', unit: 'calls', ordinary: 100_000, large: 1_000_000, minutes: 2 },
  },
];
