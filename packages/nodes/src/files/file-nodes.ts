/** The node types for files, one for each operation. */
import type { NodeType } from '../ports.ts';
import { fileNode } from './file-operation.ts';
import { appendFileOperation } from './operations/append-file.ts';
import { copyFileOperation } from './operations/copy-file.ts';
import { createDirectoryOperation } from './operations/create-directory.ts';
import { deleteFileOperation } from './operations/delete-file.ts';
import { fileExistsOperation, getFileInfoOperation, getFileSizeOperation } from './operations/inspect.ts';
import { listDirectoryOperation, listFilesOperation } from './operations/list.ts';
import { moveFileOperation } from './operations/move-file.ts';
import { readFileOperation } from './operations/read-file.ts';
import { writeFileOperation } from './operations/write-file.ts';

export const fileNodes: readonly NodeType[] = [
  fileNode('ReadFileNode', 'Reads a file as text, or as base64 in binary_mode.', readFileOperation),
  fileNode('WriteFileNode', 'Writes a file whole, or appends to it in append_mode.', writeFileOperation),
  fileNode('AppendFileNode', 'Appends text to a file.', appendFileOperation),
  fileNode('DeleteFileNode', 'Deletes a file.', deleteFileOperation),
  fileNode('CopyFileNode', 'Copies a file with its mode and times.', copyFileOperation),
  fileNode('MoveFileNode', 'Moves or renames a file.', moveFileOperation),
  fileNode('CreateDirectoryNode', 'Makes a folder.', createDirectoryOperation),
  fileNode('ListDirectoryNode', 'Lists the entries of a folder that match a pattern.', listDirectoryOperation),
  fileNode('ListFilesNode', 'Lists the files of a folder that match a pattern.', listFilesOperation),
  fileNode('FileExistsNode', 'Tells whether a file or folder exists.', fileExistsOperation),
  fileNode('GetFileSizeNode', 'The size of a file in bytes.', getFileSizeOperation),
  fileNode('GetFileInfoNode', 'Size, times and name of a file.', getFileInfoOperation),
];
