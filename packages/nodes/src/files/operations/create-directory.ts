/** Makes a folder. */
import { mkdir } from 'node:fs/promises';
import { z } from 'zod';
import { NodeError } from '../../errors.ts';
import { filledText, flag } from '../../params/index.ts';
import type { JsonObject } from '../../ports.ts';
import { isObject } from '../../values/kind-of.ts';
import { codeOf, onFile } from '../file-errors.ts';
import { type FileOperation, fileOperation } from '../file-operation.ts';
import { guardedPath } from '../guarded-path.ts';
import { makeParent } from '../make-parent.ts';
import { statOrNull } from '../stat-or-null.ts';

export const createDirectoryOperation: FileOperation = fileOperation({
  params: z.object({
    directory_path: filledText(),
    parents: flag(true),
    exist_ok: flag(true),
    allow_dangerous_paths: flag(false),
  }),
  outputs: ['dir_path', 'success'],
  effect: (params) => (params.exist_ok ? 'idempotent' : 'effect'),
  async prepare(params, ctx) {
    const path = guardedPath(ctx, params.directory_path, 'write', params.allow_dangerous_paths);
    return onFile(path, async () => ({ path, existed: (await statOrNull(path)) !== null }));
  },
  async run(params, ctx) {
    ctx.signal.throwIfAborted();
    const path = guardedPath(ctx, params.directory_path, 'write', params.allow_dangerous_paths);
    return onFile(path, async () => {
      if (params.parents) await makeParent(path);
      await makeFolder(path, params.exist_ok);
      return { outputs: created(path) };
    });
  },
  async probe(_params, evidence) {
    if (!isObject(evidence) || typeof evidence.path !== 'string') {
      return { state: 'unknown', reason: 'what was noted before making the folder cannot be read' };
    }
    const now = await statOrNull(evidence.path);
    if (evidence.existed === true || now === null) return { state: 'not-done' };
    return now.isDirectory()
      ? { state: 'done', result: { outputs: created(evidence.path) } }
      : { state: 'unknown', reason: `${evidence.path} is a file now` };
  },
});

async function makeFolder(path: string, existOk: boolean): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    const there = await statOrNull(path);
    if (existOk && there?.isDirectory()) return;
    const remedy = there?.isDirectory() ? 'set exist_ok if that is fine' : 'it is a file, so choose another name';
    throw new NodeError(`${path} exists already: ${remedy}`, { code: 'FILE_EXISTS', errorType: 'FileExistsError' });
  }
}

function created(path: string): JsonObject {
  return { dir_path: path, success: true };
}
