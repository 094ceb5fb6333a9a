/** LogToFileNode: appends lines to a log file, or begins it anew. After a crash it looks whether the line is there. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { appendBytes } from '../files/append-bytes.ts';
import { onFile } from '../files/file-errors.ts';
import { guardedPath } from '../files/guarded-path.ts';
import { makeParent } from '../files/make-parent.ts';
import { replaceFile } from '../files/replace-file.ts';
import { statOrNull } from '../files/stat-or-null.ts';
import { choice, filledText, flag, text } from '../params/index.ts';
import type { JsonObject, JsonValue, NodeContext, NodeType, ProbeVerdict } from '../ports.ts';

const params = z.object({
  log_file_path: filledText(),
  log_message: text(),
  level: choice(['DEBUG', 'INFO', 'WARNING', 'ERROR'], 'INFO'),
  append: flag(true),
  add_timestamp: flag(true),
});

type Context = NodeContext<z.output<typeof params>>;

export const logToFileNode: NodeType = defineNode({
  type: 'LogToFileNode',
  category: 'system',
  description: 'Writes a line with level and time into a file.',
  params,
  outputs: ['success', 'lines_written'],
  effect: ({ append }) => (append ? 'effect' : 'idempotent'),
  async prepare(ctx) {
    const path = pathOf(ctx);
    const before = await onFile(path, () => statOrNull(path));
    return { path, size_before: before?.size ?? 0, text: textOf(ctx.params) };
  },
  async run(ctx) {
    ctx.signal.throwIfAborted();
    const path = pathOf(ctx);
    const line = Buffer.from(lineOf(ctx));
    await onFile(path, async () => {
      await makeParent(path);
      if (ctx.params.append) await appendBytes(path, () => line, { create: true });
      else await replaceFile(path, line, ctx.idempotencyKey);
    });
    return { outputs: written(ctx.params.log_message) };
  },
  probe: (intent) => probeLine(intent.evidence, written(intent.params.log_message)),
});

function pathOf(ctx: Pick<Context, 'resolvePath' | 'params'>): string {
  return guardedPath(ctx, ctx.params.log_file_path, 'write', false);
}

function lineOf({ params: given, clock }: Context): string {
  return `${given.add_timestamp ? `${new Date(clock.now()).toISOString()} ` : ''}${textOf(given)}`;
}

function textOf(given: Pick<Context['params'], 'level' | 'log_message'>): string {
  return `[${given.level}] ${given.log_message}\n`;
}

const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z )?/;

/** The line stands where the file ended before, whatever time it bears. */
async function probeLine(evidence: JsonValue, outputs: JsonObject): Promise<ProbeVerdict> {
  const { path, size_before: start, text: line } = (evidence ?? {}) as JsonObject;
  if (typeof path !== 'string' || typeof start !== 'number' || typeof line !== 'string') {
    return { state: 'unknown', reason: 'what was noted before writing cannot be read' };
  }
  const size = (await statOrNull(path))?.size ?? 0;
  if (size === start) return { state: 'not-done' };
  if (size < start) return { state: 'unknown', reason: `${path} has shrunk since the node began` };
  const found = (await readFile(path)).subarray(start).toString('utf8').replace(STAMP, '');
  return found.startsWith(line)
    ? { state: 'done', result: { outputs } }
    : { state: 'unknown', reason: `${path} was changed by another writer since the node began` };
}

function written(message: string): JsonObject {
  return { success: true, lines_written: message.split('\n').length };
}
