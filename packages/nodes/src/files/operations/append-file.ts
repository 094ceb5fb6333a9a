/** Appends text to a file. */
import { z } from 'zod';
import { filledText, flag, text } from '../../params/index.ts';
import type { JsonObject } from '../../ports.ts';
import { appendBytes, appendEvidence, probeAppend } from '../append-bytes.ts';
import { codecFor } from '../encoding/codec-for.ts';
import { onFile } from '../file-errors.ts';
import { type FileOperation, fileOperation } from '../file-operation.ts';
import { guardedPath } from '../guarded-path.ts';
import { makeParent } from '../make-parent.ts';

export const appendFileOperation: FileOperation = fileOperation({
  params: z.object({
    file_path: filledText(),
    content: text(),
    encoding: text('utf-8'),
    create_if_missing: flag(true),
    allow_dangerous_paths: flag(false),
  }),
  outputs: ['file_path', 'bytes_written', 'success'],
  effect: () => 'effect',
  async prepare(params, ctx) {
    const path = guardedPath(ctx, params.file_path, 'write', params.allow_dangerous_paths);
    return onFile(path, () => appendEvidence(path, (size) => encoded(params, size)));
  },
  async run(params, ctx) {
    ctx.signal.throwIfAborted();
    const path = guardedPath(ctx, params.file_path, 'write', params.allow_dangerous_paths);
    return onFile(path, async () => {
      if (params.create_if_missing) await makeParent(path);
      const bytes = await appendBytes(path, (size) => encoded(params, size), { create: params.create_if_missing });
      return { outputs: appended(path, bytes) };
    });
  },
  async probe(_params, evidence) {
    const verdict = await probeAppend(evidence);
    if (verdict.state !== 'done') return verdict;
    return { state: 'done', result: { outputs: appended(verdict.path, verdict.bytesWritten) } };
  },
});

function encoded(params: { readonly content: string; readonly encoding: string }, size: number): Buffer {
  return codecFor(params.encoding).encode(params.content, { errors: 'strict', atStart: size === 0 });
}

function appended(path: string, bytes: number): JsonObject {
  return { file_path: path, bytes_written: bytes, success: true };
}
