import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import * as execution from '../src/index.ts';

/** Runs the first example of the README against this source. */
it('the example in the README does what its comments say', async () => {
  const readme = readFileSync(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8');
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const names = /import \{ ([^}]+) \} from '@casare\/execution';/.exec(example)?.[1]?.split(', ') ?? [];
  const body = example.replace(/^import .*$/m, '').replace(/^report\..*$/gm, '');
  const run = new Function(...names, `return (async () => { ${body}; return report; })();`);
  const values = names.map((name) => (execution as Record<string, unknown>)[name]);
  expect(values).not.toContain(undefined);
  const report = (await run(...values)) as execution.RunReport;
  expect(report.end.status).toBe('completed');
  expect(report.variables.n).toBe(3);
});

it('the README explains every code that a finding can have', () => {
  const readme = readFileSync(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8');
  const missing = Object.keys(execution.findingCodes).filter((code) => !readme.includes(`\`${code}\``));
  expect(missing).toEqual([]);
});
