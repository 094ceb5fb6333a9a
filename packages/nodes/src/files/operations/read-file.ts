/** Reads a file whole. */
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { NodeError } from '../../errors.ts';
import { choice, filledText, flag, integer, text } from '../../params/index.ts';
import { errorsModes } from '../encoding/codec.ts';
import { contentOf } from '../file-content.ts';
import { onFile } from '../file-errors.ts';
import { type FileOperation, fileOperation } from '../file-operation.ts';
import { guardedPath } from '../guarded-path.ts';

/** Largest file that is read when `max_size` says nothing: content becomes an output, which is kept. */
const USUAL_LIMIT_BYTES = 100 * 1024 * 1024;
/** What one string can hold. */
const ABSOLUTE_LIMIT_BYTES = 384 * 1024 * 1024;

export const readFileOperation: FileOperation = fileOperation({
  params: z.object({
    file_path: filledText(),
    encoding: text('utf-8'),
    binary_mode: flag(false),
    errors: choice(errorsModes, 'strict'),
    max_size: integer({ fallback: 0, min: 0, max: ABSOLUTE_LIMIT_BYTES }),
    allow_dangerous_paths: flag(false),
  }),
  outputs: ['content', 'size', 'success'],
  effect: () => 'pure',
  async run(params, ctx) {
    const path = guardedPath(ctx, params.file_path, 'read', params.allow_dangerous_paths);
    const bytes = await onFile(path, async () => {
      await checkReadable(path, params.max_size === 0 ? USUAL_LIMIT_BYTES : params.max_size);
      return readFile(path, { signal: ctx.signal });
    });
    return { outputs: { content: contentOf(bytes, params), size: bytes.length, success: true } };
  },
});

async function checkReadable(path: string, limit: number): Promise<void> {
  const found = await stat(path);
  if (found.isDirectory()) {
    throw new NodeError(`${path} is a folder: give the path of a file`, {
      code: 'FILE_IS_FOLDER',
      errorType: 'IsADirectoryError',
    });
  }
  if (!found.isFile()) {
    throw new NodeError(`${path} is a device or a pipe, not a file`, {
      code: 'FILE_NOT_REGULAR',
      errorType: 'OSError',
    });
  }
  if (found.size > limit) {
    throw new NodeError(`${path} has ${found.size} bytes, more than the ${limit} allowed: raise max_size to read it`, {
      code: 'FILE_TOO_LARGE',
    });
  }
}
