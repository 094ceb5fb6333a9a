/** Lists what is in a folder, as absolute paths in alphabetical order. */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { NodeError } from '../../errors.ts';
import { filledText, flag, text } from '../../params/index.ts';
import { codeOf, onFile } from '../file-errors.ts';
import { type FileContext, type FileOperation, fileOperation } from '../file-operation.ts';
import { type Glob, globOf } from '../glob.ts';
import { guardedPath } from '../guarded-path.ts';

/** A longer list would be no use as an output (I7). */
const MOST_ENTRIES = 100_000;

type Kind = 'file' | 'folder' | 'other';

export const listFilesOperation: FileOperation = fileOperation({
  params: z.object({
    directory_path: filledText(),
    pattern: text('*'),
    recursive: flag(false),
    allow_dangerous_paths: flag(false),
  }),
  outputs: ['files', 'count', 'success'],
  effect: () => 'pure',
  async run(params, ctx) {
    const folder = guardedPath(ctx, params.directory_path, 'read', params.allow_dangerous_paths);
    const files = await find(folder, globOf(params.pattern, params.recursive), ['file'], ctx);
    return { outputs: { files, count: files.length, success: true } };
  },
});

export const listDirectoryOperation: FileOperation = fileOperation({
  params: z.object({
    dir_path: filledText(),
    pattern: text('*'),
    recursive: flag(false),
    files_only: flag(false),
    dirs_only: flag(false),
    allow_dangerous_paths: flag(false),
  }),
  outputs: ['items', 'count', 'success'],
  effect: () => 'pure',
  async run(params, ctx) {
    const folder = guardedPath(ctx, params.dir_path, 'read', params.allow_dangerous_paths);
    const kinds = (['file', 'folder', 'other'] as const)
      .filter((kind) => !params.files_only || kind === 'file')
      .filter((kind) => !params.dirs_only || kind === 'folder');
    const items = await find(folder, globOf(params.pattern, params.recursive), kinds, ctx);
    return { outputs: { items, count: items.length, success: true } };
  },
});

async function find(folder: string, glob: Glob, kinds: readonly Kind[], ctx: FileContext): Promise<string[]> {
  const found: string[] = [];
  const visit = async (inside: string, depth: number): Promise<void> => {
    ctx.signal.throwIfAborted();
    const path = join(folder, inside);
    for (const entry of await onFile(path, () => readdir(path, { withFileTypes: true }))) {
      const relativePath = inside === '' ? entry.name : `${inside}/${entry.name}`;
      if (glob.matches(relativePath) && kinds.includes(await kindOf(entry, join(folder, relativePath)))) {
        found.push(join(folder, relativePath));
      }
      if (found.length > MOST_ENTRIES) throw tooMany(folder);
      if (entry.isDirectory() && depth < glob.depth) await visit(relativePath, depth + 1);
    }
  };
  await visit('', 1);
  return found.sort();
}

/** Links count as what they lead to; folders behind links are listed, but not entered. */
async function kindOf(entry: Dirent, path: string): Promise<Kind> {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  if (!entry.isSymbolicLink()) return 'other';
  try {
    const target = await stat(path);
    return target.isFile() ? 'file' : target.isDirectory() ? 'folder' : 'other';
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'EACCES', 'ENOTDIR'].includes(codeOf(error))) return 'other';
    throw error;
  }
}

function tooMany(folder: string): NodeError {
  return new NodeError(`${folder} has more than ${MOST_ENTRIES} matches: narrow the pattern`, {
    code: 'TOO_MANY_FILES',
  });
}
