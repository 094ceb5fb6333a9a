/** Moves or renames a file or a folder; files also to another disk. */
import { lstat, rename, unlink } from 'node:fs/promises';
import { z } from 'zod';
import { filledText, flag } from '../../params/index.ts';
import type { JsonObject, JsonValue } from '../../ports.ts';
import { isObject } from '../../values/kind-of.ts';
import { codeOf, onFile } from '../file-errors.ts';
import { identityOf, isSameFile } from '../file-identity.ts';
import { type FileOperation, fileOperation } from '../file-operation.ts';
import { placeCopy } from '../place-copy.ts';
import { checkTransfer, type Transfer, transferOf } from '../transfer.ts';

export const moveFileOperation: FileOperation = fileOperation({
  params: z.object({
    source_path: filledText(),
    dest_path: filledText(),
    overwrite: flag(false),
    create_dirs: flag(true),
    allow_dangerous_paths: flag(false),
  }),
  outputs: ['dest_path', 'success'],
  effect: () => 'effect',
  async prepare(params, ctx) {
    const { source, destination } = transferOf(params, ctx, 'write');
    return onFile(source, async () => ({
      source,
      destination,
      file: await identityOf(source),
      there: await identityOf(destination),
      overwrite: params.overwrite,
    }));
  },
  async run(params, ctx) {
    ctx.signal.throwIfAborted();
    const transfer = transferOf(params, ctx, 'write');
    return onFile(transfer.destination, async () => {
      await checkTransfer(transfer, params);
      await move(transfer, params.overwrite, ctx.idempotencyKey);
      return { outputs: moved(transfer.destination) };
    });
  },
  async probe(_params, evidence) {
    if (!isObject(evidence) || typeof evidence.source !== 'string' || typeof evidence.destination !== 'string') {
      return { state: 'unknown', reason: 'what was noted before moving cannot be read' };
    }
    const { source, destination } = evidence;
    const file = evidence.file as JsonValue;
    const atSource = await identityOf(source);
    const atDestination = await identityOf(destination);
    if (file === null) return { state: 'not-done' };
    if (atSource === null) {
      return atDestination !== null && isSameFile(file, atDestination)
        ? { state: 'done', result: { outputs: moved(destination) } }
        : { state: 'unknown', reason: `${source} is gone, and ${destination} is not the file that it was` };
    }
    if (!isSameFile(file, atSource)) {
      return { state: 'unknown', reason: `${source} is another file now than before moving` };
    }
    const untouched = atDestination === null || evidence.there !== null || evidence.overwrite === true;
    return untouched
      ? { state: 'not-done' }
      : { state: 'unknown', reason: `${destination} has appeared, and ${source} is still there` };
  },
});

async function move({ source, destination }: Transfer, overwrite: boolean, tag: string): Promise<void> {
  try {
    await rename(source, destination);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV' || !(await lstat(source)).isFile()) throw error;
    await placeCopy(source, destination, { overwrite, tag });
    await unlink(source);
  }
}

function moved(path: string): JsonObject {
  return { dest_path: path, success: true };
}
