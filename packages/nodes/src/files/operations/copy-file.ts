/** Copies a file. */
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { NodeError } from '../../errors.ts';
import { filledText, flag } from '../../params/index.ts';
import type { JsonObject } from '../../ports.ts';
import { isObject } from '../../values/kind-of.ts';
import { onFile } from '../file-errors.ts';
import { identityOf } from '../file-identity.ts';
import { type FileOperation, fileOperation } from '../file-operation.ts';
import { placeCopy } from '../place-copy.ts';
import { haveSameContent } from '../same-content.ts';
import { statOrNull } from '../stat-or-null.ts';
import { checkTransfer, transferOf } from '../transfer.ts';

export const copyFileOperation: FileOperation = fileOperation({
  params: z.object({
    source_path: filledText(),
    dest_path: filledText(),
    overwrite: flag(false),
    create_dirs: flag(true),
    allow_dangerous_paths: flag(false),
  }),
  outputs: ['dest_path', 'bytes_copied', 'success'],
  effect: (params) => (params.overwrite ? 'idempotent' : 'effect'),
  async prepare(params, ctx) {
    const { source, destination } = transferOf(params, ctx, 'read');
    return onFile(destination, async () => ({ source, destination, there: await identityOf(destination) }));
  },
  async run(params, ctx) {
    ctx.signal.throwIfAborted();
    const transfer = transferOf(params, ctx, 'read');
    const { source, destination } = transfer;
    await onFile(destination, () => checkTransfer(transfer, params));
    await onFile(source, () => checkIsFile(source));
    return onFile(destination, async () => {
      await placeCopy(source, destination, { overwrite: params.overwrite, tag: ctx.idempotencyKey });
      return { outputs: copied(destination, (await stat(destination)).size) };
    });
  },
  async probe(_params, evidence) {
    if (!isObject(evidence) || typeof evidence.source !== 'string' || typeof evidence.destination !== 'string') {
      return { state: 'unknown', reason: 'what was noted before copying cannot be read' };
    }
    const { source, destination, there } = evidence;
    const copy = await statOrNull(destination);
    if (copy === null || there !== null) return { state: 'not-done' };
    if ((await statOrNull(source)) !== null && (await haveSameContent(source, destination))) {
      return { state: 'done', result: { outputs: copied(destination, copy.size) } };
    }
    return { state: 'unknown', reason: `${destination} is there now, but is not the same as ${source}` };
  },
});

async function checkIsFile(source: string): Promise<void> {
  if ((await stat(source)).isFile()) return;
  throw new NodeError(`${source} is no file: this node copies single files`, {
    code: 'FILE_IS_FOLDER',
    errorType: 'IsADirectoryError',
  });
}

function copied(path: string, bytes: number): JsonObject {
  return { dest_path: path, bytes_copied: bytes, success: true };
}
