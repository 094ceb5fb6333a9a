/** Jobs whose robot does not learn what the database has done for it: `pnpm chaos dropped-replies --count 20 --seed 1`. */
import { eventually, seededRandom } from '@casare/testing';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type Operator, operatorOf } from '../support/operator.ts';
import { type PooledSupabase, pooledSupabase } from '../support/pooled-supabase.ts';
import { temporaryFolder } from '../support/robot-home.ts';
import { chain } from '../support/workflows.ts';
import { endProblems } from './check-ends.ts';
import { type CountingServer, startCountingServer } from './counting-server.ts';
import { type Fate, openFaultyDoor } from './faulty-door.ts';
import { killableRobot, startRestartedRobot } from './restarted-robot.ts';

const jobs = Number(process.env.DROPPED_REPLY_JOBS ?? 0);
const seed = Number(process.env.DROPPED_REPLY_SEED ?? 20_260_101);
/** How long the robot waits for an answer. */
const timeoutMs = 2_000;
const patience = { timeoutMs: 300_000 + jobs * 30_000, intervalMs: 100 };
/** Waits take time, so they are rarer. */
const faults: readonly Fate[] = ['drop', 'drop', 'bad-gateway', 'bad-gateway', 'twice', 'twice', 'late', 'overdue'];
const steps = ['first', 'second', 'third'];

let server: PooledSupabase;
let operator: Operator;
let counting: CountingServer;

beforeAll(async () => {
  server = await pooledSupabase();
  operator = await operatorOf(server);
  counting = await startCountingServer();
});

afterAll(async () => {
  await counting?.close();
  await operator?.close();
  await server?.stop();
});

const post = (id: string) => ({
  id,
  type: 'HttpRequestNode',
  config: { url: `${counting.url}/${id}/0`, method: 'POST', body: '{}', timeout: 30 },
});

/** What is asked about a job is answered by somebody who looks at what has happened. Resolves with whether it has ended. */
async function answered(jobId: string, asked: Set<string>): Promise<boolean> {
  const { status, in_doubt: questions } = (await operator.job(jobId)) as {
    status: string;
    in_doubt: readonly { node_id: string }[];
  };
  for (const { node_id: node } of questions) {
    asked.add(jobId);
    await operator.gateway.resolveJob(jobId, counting.of(node).length > 0 ? 'skip' : 'retry');
  }
  return status !== 'pending' && status !== 'running';
}

it.runIf(jobs > 0)(
  `${jobs} jobs do each effect once and end once although every third answer is lost`,
  { timeout: 2 * patience.timeoutMs },
  async () => {
    const random = seededRandom(seed);
    const door = await openFaultyDoor(server.url, 1.25 * timeoutMs);
    onTestFinished(() => door.close());
    // The first request of every kind is done, and its answer lost; of the others, every third meets something.
    const known = new Set<string>();
    door.fateOf = (name) => {
      const isKnown = known.has(name);
      known.add(name);
      if (!isKnown) return 'drop';
      return random.below(10) < 3 ? (faults[random.below(faults.length)] ?? 'pass') : 'pass';
    };
    const folder = temporaryFolder();
    const robot = startRestartedRobot(
      killableRobot({
        server: { url: door.url, serviceKey: server.serviceKey },
        home: `${folder}/home`,
        pointsFolder: folder,
        jobs: 3,
        env: { CASARE_CONNECTION_CONNECTION_TIMEOUT_MS: String(timeoutMs) },
      }),
    );
    onTestFinished(() => robot.stop());

    // Killed within an effect, jobs ask about it.
    counting.hold('j0-second', 0, () => robot.kill());
    const ids: string[] = [];
    for (let job = 0; job < jobs; job += 1) {
      const nodes = steps.map((step) => post(`j${job}-${step}`));
      ids.push(await operator.submit(chain(`j${job}`, nodes)));
    }
    const problems: string[] = [];
    /** Their questions have numbers, too, and are no events. */
    const asked = new Set<string>();
    for (const [index, jobId] of ids.entries()) {
      await eventually(
        `j${index} ends`,
        async () => {
          for (const other of ids.slice(index)) if (!(await answered(other, asked)) && other === jobId) return false;
          return true;
        },
        patience,
      );
      problems.push(
        ...(await endProblems(server, jobId, asked.has(jobId) ? 'partial' : 'whole')).map(
          (problem) => `j${index}: ${problem}`,
        ),
      );
      const seen = counting.of(`j${index}-`).map(({ node }) => node);
      if (seen.join() !== steps.map((step) => `j${index}-${step}`).join())
        problems.push(`j${index} did ${seen.join()}`);
    }
    const told = robot.current.errors.filter((line) => line.includes('next try in')).length;
    console.log(
      `dropped replies: ${jobs} jobs, seed ${seed}, ${JSON.stringify(door.fates)}, an open breaker told ${told} times, ${problems.length} problems`,
    );
    expect(problems).toEqual([]);
    expect(robot.crashes).toEqual([]);
    expect([...robot.current.errors].filter((line) => line.includes('works elsewhere'))).toEqual([]);
  },
);
