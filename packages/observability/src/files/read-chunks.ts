/** A file's bytes in pieces, decompressed where its name ends in `.gz`. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { isCode } from './durable-file.ts';

const pieceBytes = 256 * 1024;

/** A device or a pipe has no end that a reader could wait for. */
export class NoRegularFile extends Error {}

/** Whether the file is not what it was written as, other than that it could not be read. */
export function isDamagedFile(error: unknown): error is Error {
  if (error instanceof NoRegularFile) return true;
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}

/** A file that is compressed while it is about to be read is read from its new place. */
export async function* readChunks(path: string): AsyncGenerator<Buffer> {
  let isAnyRead = false;
  try {
    for await (const chunk of bytesOf(path)) {
      isAnyRead = true;
      yield chunk;
    }
  } catch (error) {
    if (isAnyRead || path.endsWith('.gz') || !isCode(error, 'ENOENT')) throw error;
    yield* bytesOf(`${path}.gz`);
  }
}

async function* bytesOf(path: string): AsyncGenerator<Buffer> {
  if (!(await stat(path)).isFile()) throw new NoRegularFile('it is no regular file');
  const file = createReadStream(path, { highWaterMark: pieceBytes });
  if (!path.endsWith('.gz')) {
    yield* file as AsyncIterable<Buffer>;
    return;
  }
  const plain = createGunzip({ chunkSize: pieceBytes });
  file.once('error', (error) => plain.destroy(error));
  try {
    yield* file.pipe(plain) as AsyncIterable<Buffer>;
  } finally {
    file.destroy();
  }
}
