/** What a circuit breaker, and retry + breaker + deadline, cost around an async function that resolves at once. */
import * as cockatiel from 'cockatiel';
import Opossum from 'opossum';
import { CircuitBreaker } from '../packages/connection/src/breaker/circuit-breaker.ts';
import { retry } from '../packages/connection/src/retry/retry.ts';
import { printSettings } from './settings.ts';
import { type Candidate, measure, printFigures } from './side-by-side.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 21);
const TIMEOUT_MS = 10_000;

const operation = async (): Promise<number> => 1;

function candidate(name: string, call: () => Promise<unknown>): Candidate {
  const run = async (calls: number): Promise<void> => {
    for (let n = 0; n < calls; n += 1) await call();
  };
  return { name, run };
}

const ours = new CircuitBreaker('bench');
const windowed = new CircuitBreaker('bench', { trip: { kind: 'count-window', size: 100, failureRate: 0.5 } });
const timed = new CircuitBreaker('bench', {
  trip: { kind: 'time-window', windowMs: 10_000, failureRate: 0.5, minimumCalls: 10 },
});
const caller = new AbortController();
const withSignal = { signal: caller.signal };
const theirs = cockatiel.circuitBreaker(cockatiel.handleAll, {
  halfOpenAfter: 60_000,
  breaker: new cockatiel.ConsecutiveBreaker(5),
});
const opossum = new Opossum(operation, { timeout: false, resetTimeout: 60_000, rollingCountTimeout: 10_000 });
const opossumWithTimeout = new Opossum(operation, { timeout: TIMEOUT_MS, resetTimeout: 60_000 });

const breakers = [
  candidate('bare', operation),
  candidate('@casare/connection', () => ours.call(operation)),
  candidate('@casare/connection, count window', () => windowed.call(operation)),
  candidate('@casare/connection, time window', () => timed.call(operation)),
  candidate('@casare/connection, with a signal', () => ours.call(operation, withSignal)),
  candidate('cockatiel', () => theirs.execute(operation)),
  candidate('opossum', () => opossum.fire()),
];

const options = { timeoutMs: TIMEOUT_MS, idempotent: true };
const policy = cockatiel.wrap(
  cockatiel.retry(cockatiel.handleAll, { maxAttempts: 3, backoff: new cockatiel.ExponentialBackoff() }),
  theirs,
  cockatiel.timeout(TIMEOUT_MS, cockatiel.TimeoutStrategy.Aggressive),
);

const stacks = [
  candidate('bare', operation),
  candidate('@casare/connection retry + breaker + deadline', () => retry(() => ours.call(operation), options)),
  candidate('  the same, signal handed to the breaker', () =>
    retry(({ signal }) => ours.call(operation, { signal }), options),
  ),
  candidate('cockatiel retry + breaker + timeout', () => policy.execute(operation)),
  candidate('opossum breaker + timeout (it has no retry)', () => opossumWithTimeout.fire()),
];

printSettings({ rounds: `${ROUNDS}, interleaved, slices of about 60 ms` });
printFigures('breaker', await measure(breakers, ROUNDS));
printFigures('retry + breaker + deadline', await measure(stacks, ROUNDS));
opossum.shutdown();
opossumWithTimeout.shutdown();
