/** Deletes a file. */
import { rm, unlink } from 'node:fs/promises';
import { z } from 'zod';
import { NodeError } from '../../errors.ts';
import { filledText, flag } from '../../params/index.ts';
import type { JsonObject } from '../../ports.ts';
import { isObject } from '../../values/kind-of.ts';
import { onFile } from '../file-errors.ts';
import { identityOf, isSameFile } from '../file-identity.ts';
import { type FileOperation, fileOperation } from '../file-operation.ts';
import { guardedPath } from '../guarded-path.ts';
import { lstatOrNull } from '../stat-or-null.ts';

export const deleteFileOperation: FileOperation = fileOperation({
  params: z.object({ file_path: filledText(), ignore_missing: flag(false), allow_dangerous_paths: flag(false) }),
  outputs: ['deleted_path', 'success'],
  effect: (params) => (params.ignore_missing ? 'idempotent' : 'effect'),
  async prepare(params, ctx) {
    const path = guardedPath(ctx, params.file_path, 'write', params.allow_dangerous_paths);
    return onFile(path, async () => ({ path, file: await identityOf(path) }));
  },
  async run(params, ctx) {
    ctx.signal.throwIfAborted();
    const path = guardedPath(ctx, params.file_path, 'write', params.allow_dangerous_paths);
    return onFile(path, async () => {
      if ((await lstatOrNull(path))?.isDirectory()) {
        throw new NodeError(`${path} is a folder: this node deletes files only`, {
          code: 'FILE_IS_FOLDER',
          errorType: 'IsADirectoryError',
        });
      }
      await (params.ignore_missing ? rm(path, { force: true }) : unlink(path));
      return { outputs: deleted(path) };
    });
  },
  async probe(_params, evidence) {
    if (!isObject(evidence) || typeof evidence.path !== 'string') {
      return { state: 'unknown', reason: 'what was noted before deleting cannot be read' };
    }
    const { path, file } = evidence;
    const now = await identityOf(path);
    if (file === null) return { state: 'not-done' };
    if (now === null) return { state: 'done', result: { outputs: deleted(path) } };
    return isSameFile(file as JsonObject, now)
      ? { state: 'not-done' }
      : { state: 'unknown', reason: `${path} is another file now than before deleting` };
  },
});

function deleted(path: string): JsonObject {
  return { deleted_path: path, success: true };
}
