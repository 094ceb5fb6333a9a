/** A node context for tests: real clock or a manual one, a work folder, and a record of what was logged. */
import { resolve } from 'node:path';
import type { AccessPolicy } from '@casare/execution';
import { openAccess } from '@casare/execution';
import type { ZodObject, z } from 'zod';
import type {
  Clock,
  EffectKind,
  JsonObject,
  JsonValue,
  LogLevel,
  NodeContext,
  NodeResult,
  NodeType,
  ProbeVerdict,
} from '../src/ports.ts';

export interface LogRecord {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: JsonObject | undefined;
}

export interface TestContextOptions {
  readonly workDir?: string;
  readonly variables?: JsonObject;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  readonly idempotencyKey?: string;
}

const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (delayMs, signal) =>
    new Promise((done, failed) => {
      if (signal?.aborted) {
        failed(signal.reason);
        return;
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        done();
      }, delayMs);
      const stop = (): void => {
        clearTimeout(timer);
        failed(signal?.reason);
      };
      signal?.addEventListener('abort', stop, { once: true });
    }),
};

/** The permissions of a policy, as a node's context has them. */
export function accessScope(policy: AccessPolicy, workDir = '/nowhere'): NodeContext['access'] {
  const refuse = (refusal: Error | null): void => {
    if (refusal !== null) throw refusal;
  };
  return {
    isNetworkOpen: policy.isNetworkOpen,
    areCommandsOpen: policy.areCommandsOpen,
    requireCommand: (command) => refuse(policy.refusalOfCommand(command)),
    requireNetwork: (target) => refuse(policy.refusalOfNetwork(target)),
    refusalOfNetwork: (target) => policy.refusalOfNetwork(target),
    refusalOfPath: (path) => policy.refusalOfPath(resolve(workDir, path), workDir),
    refuse: (refusal) => {
      throw refusal;
    },
  };
}

/** Every permission, for nodes whose own work is the subject. */
export const openScope: NodeContext['access'] = accessScope(openAccess);

/** One node with its parameters, as the engine would drive it. */
export class NodeBench<Schema extends ZodObject = ZodObject> {
  readonly logs: LogRecord[] = [];
  readonly variables: Map<string, JsonValue>;
  readonly context: NodeContext<z.output<Schema>>;
  readonly #type: NodeType<Schema>;

  constructor(type: NodeType<Schema>, config: JsonObject, options: TestContextOptions = {}) {
    this.#type = type;
    this.variables = new Map(Object.entries(options.variables ?? {}));
    const workDir = options.workDir ?? '/nowhere';
    this.context = {
      jobId: 'job-1',
      nodeId: 'node_1',
      nodeType: type.type,
      params: type.params.parse(config) as z.output<Schema>,
      given: (name) => Object.hasOwn(config, name),
      signal: options.signal ?? new AbortController().signal,
      log: { log: (level, message, fields) => this.logs.push({ level, message, fields }) },
      clock: options.clock ?? realClock,
      variables: {
        get: (name) => this.variables.get(name),
        has: (name) => this.variables.has(name),
        set: (name, value) => this.variables.set(name, value as JsonValue),
        all: () => Object.fromEntries(this.variables),
      },
      resources: {
        put: () => {
          throw new Error('no node of this part keeps resources');
        },
        get: () => undefined,
        find: async () => undefined,
        note: () => undefined,
        requireRoom: () => undefined,
        close: async () => false,
      },
      workDir,
      resolvePath: (path) => resolve(workDir, path),
      access: openScope,
      secrets: { get: async (id) => `value of ${id}` },
      idempotencyKey: options.idempotencyKey ?? 'job-1:step-1',
      attempt: 1,
    };
  }

  get effect(): EffectKind {
    return this.#type.effect(this.context.params);
  }

  run(): Promise<NodeResult> {
    return this.#type.run(this.context);
  }

  /** A run with parts of the context replaced. */
  runWith(parts: Partial<NodeContext<z.output<Schema>>>): Promise<NodeResult> {
    return this.#type.run({ ...this.context, ...parts });
  }

  async outputs(): Promise<JsonObject> {
    return ((await this.run()).outputs ?? {}) as JsonObject;
  }

  async prepare(): Promise<JsonValue> {
    return (await this.#type.prepare?.(this.context)) ?? null;
  }

  async probe(evidence: JsonValue): Promise<ProbeVerdict> {
    if (this.#type.probe === undefined) throw new Error(`${this.#type.type} has no probe`);
    const intent = { params: this.context.params, evidence, idempotencyKey: this.context.idempotencyKey };
    return this.#type.probe(intent, this.context);
  }
}

/** The outputs of one run. */
export function outputsOf(type: NodeType, config: JsonObject, options?: TestContextOptions): Promise<JsonObject> {
  return new NodeBench(type, config, options).outputs();
}

/** What the parameters of a type say about a configuration: `field: problem` lines, empty when it is fine. */
export function problemsOf(type: NodeType, config: JsonObject): string[] {
  const parsed = type.params.safeParse(config);
  return parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}
