/**
 * Gathers the workflows that a file calls, and puts them into it, so that it can be run where its neighbours are not.
 * Nothing is checked here but what gathering needs: `checkWorkflow` judges the whole.
 */
import { posix } from 'node:path';
import { ArgumentError, requireObject, requireOptions } from '../argument-error.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { type Finding, FindingList, quoted } from './finding.ts';
import { defaultWorkflowLimits, requireLimits, type WorkflowLimits } from './limits.ts';
import { unwrapped } from './read-file.ts';
import { readJson } from './read-json.ts';
import { calledName, callKeys, keyIn, pathsOf } from './subworkflow-names.ts';
import { hasReferences } from './templates.ts';
import { isJsonObject } from './value-text.ts';

/** What is at a path: the text of a file, or why there is none to be had. */
export type SubworkflowFile =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'missing' }
  /** There is something, but it cannot be read; `reason` follows "it". */
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Reads a file by its path, relative to the folder of the outermost file (or absolute, if a workflow says so). */
export type ReadSubworkflow = (path: string) => Promise<SubworkflowFile>;

export interface WorkflowBundle {
  /** The file with all that it calls; the text itself when it calls nothing, or cannot be read. */
  readonly text: string;
  /** What could not be gathered; empty when all could. */
  readonly findings: readonly Finding[];
}

export interface BundleOptions {
  /** Default: those of `checkWorkflow`; all files together may be as large as one. */
  readonly limits?: Partial<WorkflowLimits>;
}

const MAX_FILES = 200;

/**
 * Puts what the nodes of a workflow call under `subworkflows`. What the file carries already is left as it is.
 *
 * @param text the outermost workflow file
 * @throws ArgumentError for a `text` that is none, a `read` that is no function or answers with something else, and
 *   whatever `read` throws
 * @example
 * const bundle = await bundleWorkflow(text, async (path) => ({ kind: 'text', text: await readFile(path, 'utf8') }));
 * checkWorkflow(bundle.text, registry);
 */
export async function bundleWorkflow(
  text: string,
  read: ReadSubworkflow,
  options: BundleOptions = {},
): Promise<WorkflowBundle> {
  if (typeof text !== 'string') throw new ArgumentError('text', 'the text of a workflow file', text);
  if (typeof read !== 'function') throw new ArgumentError('read', 'a function', read);
  requireOptions('options', options, ['limits']);
  requireLimits(options.limits ?? {});
  const reading = readJson(text);
  if (!reading.ok || !isJsonObject(reading.value)) return { text, findings: [] };
  const root = unwrapped(reading.value);
  const bundler = new Bundler(read, { ...defaultWorkflowLimits, ...options.limits });
  await bundler.gather(root, '', isJsonObject(root.subworkflows) ? root.subworkflows : {});
  const findings = bundler.findings.all();
  if (bundler.gathered.size === 0 || findings.length > 0) return { text, findings };
  const texts = [...bundler.gathered].map(([path, file]) => `${JSON.stringify(path)}:${file.text}`);
  return { text: withSubworkflows(text, reading.value, texts), findings };
}

/** The texts stay as they are, so that lines, and the order of keys, are still those of the files. */
function withSubworkflows(text: string, file: JsonObject, members: readonly string[]): string {
  const carried = isJsonObject(file.subworkflows) ? file.subworkflows : undefined;
  const all = [
    ...Object.entries(carried ?? {}).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`),
    ...members,
  ];
  const { subworkflows: _before, ...rest } = file;
  const outer = Object.hasOwn(file, 'subworkflows') ? JSON.stringify(rest) : text.trimEnd();
  return `${outer.slice(0, -1)},"subworkflows":{${all.join(',')}}}`;
}

interface Gathered {
  readonly path: string;
  readonly workflow: JsonObject;
  readonly text: string;
}

class Bundler {
  readonly findings = new FindingList();
  /** By path. */
  readonly gathered = new Map<string, Gathered>();
  readonly #read: ReadSubworkflow;
  readonly #limits: WorkflowLimits;
  #bytes = 0;

  constructor(read: ReadSubworkflow, limits: WorkflowLimits) {
    this.#read = read;
    this.#limits = limits;
  }

  /**
   * @param owner path of the workflow; '' for the outermost
   * @param carried what is in the file already
   */
  async gather(workflow: JsonObject, owner: string, carried: JsonObject): Promise<void> {
    for (const { id, type, config } of callsIn(workflow)) {
      const called = calledName(type, config);
      if (called === undefined || hasReferences(called.name)) continue;
      if (keyIn(carried, called.name, owner) !== undefined) continue;
      if (pathsOf(called.name, owner).some((path) => this.gathered.has(path))) continue;
      const node = { node: owner === '' ? id : null, field: called.key };
      const where = owner === '' ? '' : `In the sub-workflow ${quoted(owner)}: `;
      const found = await this.#find(called.name, owner);
      if (typeof found === 'string') {
        this.findings.error(
          'UNKNOWN_SUBWORKFLOW',
          `${where}Node ${quoted(id)}: ${quoted(called.key)} names the workflow ${quoted(called.name)}, but ${found}.`,
          { ...node, suggestion: 'Give its path relative to the folder of the file that names it.' },
        );
        continue;
      }
      this.gathered.set(found.path, found);
      await this.gather(found.workflow, found.path, carried);
    }
  }

  /** A text says why not; it follows "but". */
  async #find(name: string, owner: string): Promise<Gathered | string> {
    if (this.gathered.size >= MAX_FILES) return `a workflow may not consist of more than ${MAX_FILES} files`;
    const paths = pathsOf(name, owner);
    for (const path of paths) {
      const file = await this.#read(path);
      requireFile(path, file);
      if (file.kind === 'missing') continue;
      return file.kind === 'unreadable' ? `${quoted(path)} ${file.reason}` : this.#parsed(path, file.text);
    }
    return `there is no file ${paths.map((path) => quoted(posix.normalize(path))).join(' or ')}`;
  }

  #parsed(path: string, text: string): Gathered | string {
    this.#bytes += text.length > this.#limits.maxFileBytes ? text.length : Buffer.byteLength(text);
    if (this.#bytes > this.#limits.maxFileBytes) {
      return `with ${quoted(path)} there would be more than the ${this.#limits.maxFileBytes} bytes that are allowed`;
    }
    const reading = readJson(text);
    if (!reading.ok) {
      const { line, column } = reading.place;
      return `${quoted(path)} is not readable as JSON: line ${line}, column ${column}: ${reading.message}`;
    }
    if (!isJsonObject(reading.value)) return `${quoted(path)} holds no workflow`;
    return { path, workflow: unwrapped(reading.value), text: text.replace(/^\ufeff/, '') };
  }
}

function requireFile(path: string, file: SubworkflowFile): void {
  const answer = `what read answers for ${quoted(path)}`;
  requireObject(answer, file);
  const isKnown = file.kind === 'missing' || file.kind === 'unreadable' || typeof file.text === 'string';
  if (!isKnown) throw new ArgumentError(answer, "{ kind: 'text', text }, or of kind 'missing' or 'unreadable'", file);
}

interface Call {
  readonly id: string;
  readonly type: string;
  readonly config: JsonObject;
}

/** The enabled nodes that call. A file's shape is checked elsewhere, so that anything may be found here. */
function callsIn(workflow: JsonObject): readonly Call[] {
  const { nodes } = workflow;
  const entries: readonly (readonly [string | null, JsonValue])[] = Array.isArray(nodes)
    ? nodes.map((node: JsonValue) => [null, node] as const)
    : Object.entries(isJsonObject(nodes) ? nodes : {});
  return entries.flatMap(([key, source]): Call[] => {
    if (!isJsonObject(source)) return [];
    const type = source.node_type ?? source.type;
    const config = source.config ?? source.properties;
    const id = key ?? source.node_id ?? source.id;
    if (typeof type !== 'string' || !callKeys.has(type.trim()) || !isJsonObject(config)) return [];
    if (config._disabled === true || config._disabled === 'true') return [];
    return [{ id: String(id), type: type.trim(), config }];
  });
}
