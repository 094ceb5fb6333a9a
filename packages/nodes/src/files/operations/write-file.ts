/** Writes a file whole, or appends to it in `append_mode`. */
import { z } from 'zod';
import { choice, filledText, flag, text } from '../../params/index.ts';
import type { JsonObject } from '../../ports.ts';
import { appendBytes, appendEvidence, probeAppend } from '../append-bytes.ts';
import { errorsModes } from '../encoding/codec.ts';
import { bytesOf } from '../file-content.ts';
import { onFile } from '../file-errors.ts';
import { type FileOperation, fileOperation } from '../file-operation.ts';
import { guardedPath } from '../guarded-path.ts';
import { makeParent } from '../make-parent.ts';
import { replaceFile } from '../replace-file.ts';

export const writeFileOperation: FileOperation = fileOperation({
  params: z.object({
    file_path: filledText(),
    content: text(),
    encoding: text('utf-8'),
    binary_mode: flag(false),
    create_dirs: flag(true),
    errors: choice(errorsModes, 'strict'),
    append_mode: flag(false),
    allow_dangerous_paths: flag(false),
  }),
  outputs: ['file_path', 'attachment_file', 'bytes_written', 'success'],
  effect: (params) => (params.append_mode ? 'effect' : 'idempotent'),
  async prepare(params, ctx) {
    if (!params.append_mode) return null;
    const path = guardedPath(ctx, params.file_path, 'write', params.allow_dangerous_paths);
    return onFile(path, () => appendEvidence(path, (size) => bytesOf(params.content, params, size === 0)));
  },
  async run(params, ctx) {
    ctx.signal.throwIfAborted();
    const path = guardedPath(ctx, params.file_path, 'write', params.allow_dangerous_paths);
    return onFile(path, async () => {
      const whole = bytesOf(params.content, params, true);
      if (params.create_dirs) await makeParent(path);
      if (params.append_mode) {
        const bytesAt = (size: number): Buffer => bytesOf(params.content, params, size === 0);
        return { outputs: written(path, await appendBytes(path, bytesAt, { create: true })) };
      }
      await replaceFile(path, whole, ctx.idempotencyKey);
      return { outputs: written(path, whole.length) };
    });
  },
  async probe(_params, evidence) {
    const verdict = await probeAppend(evidence);
    if (verdict.state !== 'done') return verdict;
    return { state: 'done', result: { outputs: written(verdict.path, verdict.bytesWritten) } };
  },
});

function written(path: string, bytes: number): JsonObject {
  return { file_path: path, attachment_file: [path], bytes_written: bytes, success: true };
}
