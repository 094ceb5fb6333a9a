/**
 * A small robot for one test: appends numbered lines with AppendFileNode, keeping a journal of intents and
 * results as the engine does, and settles an interrupted line by the node's probe when it starts again.
 *
 * Usage: node append-until-killed.ts FOLDER COUNT. Prints a line per intent. Exits 3 when in doubt.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonValue } from '../src/ports.ts';
import { fileBench } from './file-benches.ts';

interface Entry {
  readonly kind: 'intent' | 'result';
  readonly line: number;
  readonly evidence?: JsonValue;
}

const [folder = '', count = '0'] = process.argv.slice(2);
const journalPath = join(folder, 'journal');
const journal = (existsSync(journalPath) ? readFileSync(journalPath, 'utf8') : '')
  .split('\n')
  .filter((text) => text !== '')
  .map((text) => JSON.parse(text) as Entry);

function commit(entry: Entry): void {
  appendFileSync(journalPath, `${JSON.stringify(entry)}\n`);
}

for (let line = 1; line <= Number(count); line += 1) {
  const known = journal.filter((entry) => entry.line === line);
  if (known.some((entry) => entry.kind === 'result')) continue;
  const bench = fileBench('AppendFileNode', { file_path: 'out', content: `line ${line} ${'x'.repeat(500)}\n` }, folder);
  const intent = known.at(-1);
  const verdict = intent === undefined ? { state: 'not-done' } : await bench.probe(intent.evidence ?? null);
  if (verdict.state === 'unknown') process.exit(3);
  if (verdict.state === 'not-done') {
    commit({ kind: 'intent', line, evidence: await bench.prepare() });
    process.stdout.write(`${line}\n`);
    await bench.run();
  }
  commit({ kind: 'result', line });
}
