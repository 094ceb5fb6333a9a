/** What copying and moving check alike before they begin. */
import { NodeError } from '../errors.ts';
import type { FileContext } from './file-operation.ts';
import { guardedPath } from './guarded-path.ts';
import { makeParent } from './make-parent.ts';
import { lstatOrNull } from './stat-or-null.ts';

export interface TransferParams {
  readonly source_path: string;
  readonly dest_path: string;
  readonly overwrite: boolean;
  readonly create_dirs: boolean;
  readonly allow_dangerous_paths: boolean;
}

export interface Transfer {
  readonly source: string;
  readonly destination: string;
}

export function transferOf(params: TransferParams, ctx: FileContext, sourceAccess: 'read' | 'write'): Transfer {
  return {
    source: guardedPath(ctx, params.source_path, sourceAccess, params.allow_dangerous_paths),
    destination: guardedPath(ctx, params.dest_path, 'write', params.allow_dangerous_paths),
  };
}

/** @throws NodeError `FILE_SAME`, `FILE_NOT_FOUND`, `FILE_EXISTS` or `FILE_IS_FOLDER` */
export async function checkTransfer({ source, destination }: Transfer, params: TransferParams): Promise<void> {
  if (source === destination) {
    throw new NodeError(`Source and destination are the same file: ${source}`, {
      code: 'FILE_SAME',
      errorType: 'SameFileError',
    });
  }
  if ((await lstatOrNull(source)) === null) {
    throw new NodeError(`There is no ${source}: check source_path`, {
      code: 'FILE_NOT_FOUND',
      errorType: 'FileNotFoundError',
    });
  }
  const there = await lstatOrNull(destination);
  if (there !== null && !params.overwrite) {
    throw new NodeError(`${destination} exists already: choose another dest_path, or set overwrite`, {
      code: 'FILE_EXISTS',
      errorType: 'FileExistsError',
    });
  }
  if (there?.isDirectory()) {
    throw new NodeError(`${destination} is a folder: give dest_path with the name of the file`, {
      code: 'FILE_IS_FOLDER',
      errorType: 'IsADirectoryError',
    });
  }
  if (params.create_dirs) await makeParent(destination);
}
