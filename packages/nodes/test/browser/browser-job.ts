/** A job for browser tests: it runs nodes one by one, keeps their resources, and ends like an engine would. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createBrowserNodes, findBrowser } from '../../src/browser/index.ts';
import type { JsonObject, JsonValue, LogLevel, NodeContext, NodeResult, NodeType } from '../../src/ports.ts';
import { openScope } from '../context.ts';

export interface RunOptions {
  readonly nodeId?: string;
  readonly signal?: AbortSignal;
  readonly attempt?: number;
}

interface Resource {
  readonly kind: string;
  readonly id: string;
  readonly value: unknown;
  readonly dispose: () => Promise<void>;
}

/** Why the browser tests are skipped here; undefined where there is a browser. */
export const noBrowser: string | undefined = (await findBrowser()) === null ? 'no browser on this machine' : undefined;
if (noBrowser !== undefined) console.warn(`SKIPPED: the browser tests, because there is ${noBrowser}`);

export class BrowserJob {
  readonly workDir: string;
  readonly profiles: string;
  readonly variables: Map<string, JsonValue> = new Map();
  readonly logs: { level: LogLevel; message: string }[] = [];
  readonly #nodes: ReadonlyMap<string, NodeType>;
  #resources: Resource[] = [];

  private constructor(folder: string) {
    this.workDir = join(folder, 'work');
    this.profiles = join(folder, 'profiles');
    const nodes = createBrowserNodes({ tempDir: this.profiles });
    this.#nodes = new Map(nodes.flatMap((type) => [type.type, ...(type.aliases ?? [])].map((name) => [name, type])));
  }

  static async start(): Promise<BrowserJob> {
    return new BrowserJob(await mkdtemp(join(tmpdir(), 'casare-browser-test-')));
  }

  /** The node type of that name or alias. */
  type(name: string): NodeType {
    const type = this.#nodes.get(name);
    if (type === undefined) throw new Error(`no node type ${name}`);
    return type;
  }

  async run(name: string, config: JsonObject = {}, options: RunOptions = {}): Promise<JsonObject> {
    return this.runType(this.type(name), config, options);
  }

  async runType(type: NodeType, config: JsonObject, options: RunOptions = {}): Promise<JsonObject> {
    const result: NodeResult = await type.run(this.#context(type, config, options));
    return (result.outputs ?? {}) as JsonObject;
  }

  /** Starts a browser and opens a URL in it. */
  async open(url: string): Promise<JsonObject> {
    return this.run('LaunchBrowserNode', { url }, { nodeId: 'launch' });
  }

  /** What a restart of the robot does to the job: its live objects are gone. */
  async loseResources(): Promise<void> {
    const lost = this.#resources;
    this.#resources = [];
    for (const resource of lost.toReversed()) await resource.dispose();
  }

  /** The end of the job, however it came. */
  async end(): Promise<void> {
    await this.loseResources();
  }

  async remove(): Promise<void> {
    await this.end();
    await rm(resolve(this.workDir, '..'), { recursive: true, force: true });
  }

  #context(type: NodeType, config: JsonObject, options: RunOptions): NodeContext {
    const nodeId = options.nodeId ?? type.type;
    return {
      jobId: 'job-1',
      nodeId,
      nodeType: type.type,
      params: paramsOf(type, config),
      given: (param) => Object.hasOwn(config, param),
      signal: options.signal ?? new AbortController().signal,
      log: { log: (level, message) => this.logs.push({ level, message }) },
      clock: {
        now: () => Date.now(),
        monotonic: () => performance.now(),
        sleep: (delayMs, signal) =>
          new Promise((done, failed) => {
            const timer = setTimeout(done, delayMs);
            signal?.addEventListener('abort', () => {
              clearTimeout(timer);
              failed(signal.reason);
            });
          }),
      },
      variables: {
        get: (name) => this.variables.get(name),
        has: (name) => this.variables.has(name),
        set: (name, value) => this.variables.set(name, value as JsonValue),
        all: () => Object.fromEntries(this.variables),
      },
      resources: {
        put: (kind, value, dispose, name) => {
          const id = `${kind}-${this.#resources.length + 1}`;
          this.#resources.push({ kind, id, value, dispose });
          return { resource: kind, id, name: name ?? null };
        },
        get: <T>(kind: string, reference?: JsonValue) => this.#find(kind, reference)?.value as T | undefined,
        find: async <T>(kind: string, reference?: JsonValue) => this.#find(kind, reference)?.value as T | undefined,
        note: () => undefined,
        requireRoom: () => undefined,
        close: async (kind, reference) => {
          const found = this.#find(kind, reference);
          this.#resources = this.#resources.filter((other) => other !== found);
          await found?.dispose();
          return found !== undefined;
        },
      },
      workDir: this.workDir,
      resolvePath: (path) => resolve(this.workDir, path),
      access: openScope,
      secrets: { get: async (id) => `value of ${id}` },
      idempotencyKey: `job-1:${nodeId}`,
      attempt: options.attempt ?? 1,
    };
  }

  #find(kind: string, reference: JsonValue | undefined): Resource | undefined {
    const ofKind = this.#resources.filter((resource) => resource.kind === kind);
    if (reference === null || reference === undefined) return ofKind.at(-1);
    return ofKind.find(({ id }) => id === (reference as { readonly id?: string }).id);
  }
}

/** A node's parameters, read as the engine reads them: what is not given is there as undefined. */
export function paramsOf(type: NodeType, config: JsonObject): NodeContext['params'] {
  const unset = Object.fromEntries(Object.keys(type.params.shape).map((name) => [name, undefined]));
  return type.params.parse({ ...unset, ...config });
}
