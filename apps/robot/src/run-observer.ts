/** Tells metrics and audit what happens in one run. Each sees only its own job. */
import type { JsonObject, LogLevel, RunObserver } from '@casare/execution';

export interface JobMetricsPort {
  recordNode(node: {
    readonly nodeId: string;
    readonly nodeType: string;
    readonly durationMs: number;
    readonly success: boolean;
    readonly retryCount: number;
  }): void;
}

export interface JobAuditPort {
  nodeCompleted(node: { readonly nodeId: string; readonly nodeType: string; readonly durationMs: number }): void;
  nodeFailed(node: {
    readonly nodeId: string;
    readonly nodeType: string;
    readonly durationMs: number;
    readonly error: JsonObject;
  }): void;
}

export interface NodeLogPort {
  log(level: LogLevel, message: string, fields: JsonObject): void;
}

export interface RunObserverParts {
  readonly metrics: JobMetricsPort | null;
  readonly audit: JobAuditPort | null;
  readonly log: NodeLogPort;
}

export function runObserver(parts: RunObserverParts): RunObserver {
  const { metrics, audit, log } = parts;
  return {
    nodeFinished: (node) => {
      metrics?.recordNode({
        nodeId: node.node_id,
        nodeType: node.node_type,
        durationMs: node.duration_ms,
        success: true,
        retryCount: node.retries,
      });
      audit?.nodeCompleted({ nodeId: node.node_id, nodeType: node.node_type, durationMs: node.duration_ms });
    },
    nodeFailed: (node) => {
      metrics?.recordNode({
        nodeId: node.node_id,
        nodeType: node.node_type,
        durationMs: node.duration_ms,
        success: false,
        retryCount: node.retries,
      });
      audit?.nodeFailed({
        nodeId: node.node_id,
        nodeType: node.node_type,
        durationMs: node.duration_ms,
        error: { ...node.error } as JsonObject,
      });
    },
    log: (entry) => log.log(entry.level, entry.message, { ...entry.fields, node_id: entry.node_id }),
  };
}
