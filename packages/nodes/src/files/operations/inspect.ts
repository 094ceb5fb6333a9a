/** Looks at files without opening them: existence, size, details. */
import { stat } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { z } from 'zod';
import { NodeError } from '../../errors.ts';
import { choice, filledText, flag } from '../../params/index.ts';
import { onFile } from '../file-errors.ts';
import { type FileOperation, fileOperation } from '../file-operation.ts';
import { guardedPath } from '../guarded-path.ts';
import { statOrNull } from '../stat-or-null.ts';

export const fileExistsOperation: FileOperation = fileOperation({
  params: z.object({
    path: filledText(),
    check_type: choice(['file', 'directory', 'any'], 'any', { folder: 'directory', dir: 'directory' }),
    allow_dangerous_paths: flag(false),
  }),
  outputs: ['exists', 'is_file', 'is_dir'],
  effect: () => 'pure',
  async run(params, ctx) {
    const path = guardedPath(ctx, params.path, 'read', params.allow_dangerous_paths);
    const found = await onFile(path, () => statOrNull(path));
    const is_file = found?.isFile() ?? false;
    const is_dir = found?.isDirectory() ?? false;
    const exists = { file: is_file, directory: is_dir, any: found !== null }[params.check_type];
    return { outputs: { exists, is_file, is_dir } };
  },
});

export const getFileSizeOperation: FileOperation = fileOperation({
  params: z.object({ file_path: filledText(), allow_dangerous_paths: flag(false) }),
  outputs: ['size', 'success'],
  effect: () => 'pure',
  async run(params, ctx) {
    const path = guardedPath(ctx, params.file_path, 'read', params.allow_dangerous_paths);
    const found = await onFile(path, () => stat(path));
    if (found.isDirectory()) {
      throw new NodeError(`${path} is a folder: give the path of a file`, {
        code: 'FILE_IS_FOLDER',
        errorType: 'IsADirectoryError',
      });
    }
    return { outputs: { size: found.size, success: true } };
  },
});

/** Times are ISO 8601 in UTC. */
export const getFileInfoOperation: FileOperation = fileOperation({
  params: z.object({ file_path: filledText(), allow_dangerous_paths: flag(false) }),
  outputs: ['size', 'created', 'modified', 'extension', 'name', 'parent', 'success'],
  effect: () => 'pure',
  async run(params, ctx) {
    const path = guardedPath(ctx, params.file_path, 'read', params.allow_dangerous_paths);
    const found = await onFile(path, () => stat(path));
    return {
      outputs: {
        size: found.size,
        created: found.birthtime.toISOString(),
        modified: found.mtime.toISOString(),
        extension: extname(path),
        name: basename(path),
        parent: dirname(path),
        success: true,
      },
    };
  },
});
