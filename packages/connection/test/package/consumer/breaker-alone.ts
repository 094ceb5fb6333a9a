/** What someone writes who installed the package for its breaker, without supabase-js. */
import {
  CircuitBreaker,
  CircuitBreakerOpenError,
  CircuitBreakerRegistry,
  type CircuitState,
} from '@casare/connection/breaker';
import { classifyError, type ErrorVerdict } from '@casare/connection/classification';
import { RetryBudget, readAnswer, retry } from '@casare/connection/retry';

const breaker = new CircuitBreaker('service', { trip: { kind: 'count-window', size: 4, failureRate: 0.5 } });
const fail = async (): Promise<number> => {
  throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
};
for (let n = 0; n < 4; n += 1) await breaker.call(fail).catch(() => undefined);
const state: CircuitState = breaker.getStatus().state;
const refused: boolean =
  (await breaker.call(fail).catch((error: unknown) => error instanceof CircuitBreakerOpenError)) === true;
const value: number = await retry(async ({ number }) => number, { budget: new RetryBudget(), timeoutMs: 1_000 });
const judged: ErrorVerdict = classifyError(new Error('x', { cause: { code: '40001' } }));
const text: string = (await readAnswer(new Response('body'))).text();
const names: readonly string[] = new CircuitBreakerRegistry().statuses().map(({ name }) => name);
console.log(JSON.stringify({ state, refused, value, class: judged.class, text, names }));
