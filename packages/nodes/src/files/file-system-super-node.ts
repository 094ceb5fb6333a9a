/** All file operations behind one `action`; its output ports are those of the action. */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { NodeError } from '../errors.ts';
import { anything, choice, flag, integer, text } from '../params/index.ts';
import type { JsonObject, NodeType } from '../ports.ts';
import type { FileOperation } from './file-operation.ts';
import { appendFileOperation } from './operations/append-file.ts';
import { copyFileOperation } from './operations/copy-file.ts';
import { createDirectoryOperation } from './operations/create-directory.ts';
import { deleteFileOperation } from './operations/delete-file.ts';
import { fileExistsOperation, getFileInfoOperation, getFileSizeOperation } from './operations/inspect.ts';
import { listDirectoryOperation, listFilesOperation } from './operations/list.ts';
import { moveFileOperation } from './operations/move-file.ts';
import { readFileOperation } from './operations/read-file.ts';
import { writeFileOperation } from './operations/write-file.ts';

const actions = [
  'Read File',
  'Write File',
  'Append File',
  'Delete File',
  'Copy File',
  'Move File',
  'File Exists',
  'Get File Size',
  'Get File Info',
  'Create Directory',
  'List Files',
  'List Directory',
] as const;

type Action = (typeof actions)[number];

const operations: Readonly<Record<Action, FileOperation>> = {
  'Read File': readFileOperation,
  'Write File': { ...writeFileOperation, outputs: ['file_path', 'bytes_written', 'success'] },
  'Append File': appendFileOperation,
  'Delete File': deleteFileOperation,
  'Copy File': copyFileOperation,
  'Move File': moveFileOperation,
  'File Exists': fileExistsOperation,
  'Get File Size': getFileSizeOperation,
  'Get File Info': getFileInfoOperation,
  'Create Directory': createDirectoryOperation,
  'List Files': listFilesOperation,
  'List Directory': listDirectoryOperation,
};

const params = z.object({
  action: choice(actions, 'Read File'),
  file_path: text(''),
  path: text(''),
  source_path: text(''),
  directory_path: text(''),
  dir_path: text(''),
  dest_path: text(''),
  content: anything(),
  encoding: text('utf-8'),
  binary_mode: flag(false),
  max_size: integer({ fallback: 0, min: 0 }),
  create_dirs: flag(true),
  create_if_missing: flag(true),
  ignore_missing: flag(false),
  overwrite: flag(false),
  check_type: choice(['file', 'directory', 'any'], 'any'),
  parents: flag(true),
  exist_ok: flag(true),
  pattern: text('*'),
  recursive: flag(false),
  files_only: flag(false),
  dirs_only: flag(false),
  allow_dangerous_paths: flag(false),
});

type Params = z.output<typeof params>;

export const fileSystemSuperNode: NodeType = defineNode({
  type: 'FileSystemSuperNode',
  category: 'file',
  description: 'Reads, writes, copies, moves, deletes and lists files; action chooses what.',
  params,
  outputs: (config) => operations[actionOf(config) ?? 'Read File'].outputs,
  outputsFrom: 'world',
  missing(config, isConnected) {
    const action = isConnected('action') ? undefined : actionOf(config);
    if (action === undefined) return [];
    return requiredBy(operations[action])
      .filter(([param, schema]) => !isConnected(param) && !schema.safeParse(config[param]).success)
      .map(([param]) => ({ param, purpose: `for the action "${action}"` }));
  },
  effect: (given) => {
    const parsed = operations[given.action].params.safeParse(given);
    return parsed.success ? operations[given.action].effect(parsed.data) : 'pure';
  },
  async prepare(ctx) {
    const operation = operations[ctx.params.action];
    return (await operation.prepare?.(paramsFor(operation, ctx.params), ctx)) ?? null;
  },
  async run(ctx) {
    const operation = operations[ctx.params.action];
    const { outputs = {} } = await operation.run(paramsFor(operation, ctx.params), ctx);
    return {
      outputs: Object.fromEntries(Object.entries(outputs).filter(([port]) => operation.outputs.includes(port))),
    };
  },
  async probe(intent, ctx) {
    const operation = operations[intent.params.action];
    if (operation.probe === undefined) return { state: 'unknown', reason: `"${intent.params.action}" leaves no trace` };
    return operation.probe(paramsFor(operation, intent.params), intent.evidence, ctx);
  },
});

/** Undefined when the config does not tell. */
function actionOf(config: JsonObject): Action | undefined {
  return params.shape.action.safeParse(config.action).data;
}

function requiredBy(operation: FileOperation): readonly [string, z.ZodType][] {
  const shape: Readonly<Record<string, z.ZodType>> = operation.params.shape;
  return Object.entries(shape).filter(([, schema]) => !schema.safeParse(undefined).success);
}

/** @throws NodeError `CONFIG_INVALID` when the action lacks something */
function paramsFor(operation: FileOperation, given: Params): Record<string, unknown> {
  const parsed = operation.params.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
  throw new NodeError(`"${given.action}": ${problems.join('; ')}`, { code: 'CONFIG_INVALID' });
}
