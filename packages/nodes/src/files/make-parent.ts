import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NodeError } from '../errors.ts';
import { codeOf } from './file-errors.ts';

/**
 * Makes the folders that lead to a file.
 *
 * @throws NodeError `FOLDER_IS_FILE` when one of them is a file
 */
export async function makeParent(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    throw new NodeError(`A part of ${path} is a file where a folder is needed`, {
      code: 'FOLDER_IS_FILE',
      errorType: 'NotADirectoryError',
      cause: error,
    });
  }
}
