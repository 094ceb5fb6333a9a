/** Tells metrics and audit what happens in one run. Each sees only its own job. */
import type { JsonObject, LogLevel, RunObserver } from '@casare/execution';

export interface JobMetricsPort {
  nodeStarted(node: {
    readonly step: number;
    readonly nodeId: string;
    readonly nodeType: string;
    readonly attempt: number;
    readonly limitMs: number | null;
  }): void;
  recordNode(node: {
    readonly step: number;
    readonly nodeId: string;
    readonly nodeType: string;
    readonly durationMs: number;
    readonly success: boolean;
    readonly retryCount: number;
    /** It did not run: its duration says nothing about nodes of its type. */
    readonly isSkipped: boolean;
    readonly errorCode?: string;
  }): void;
}

export interface JobAuditPort {
  nodeCompleted(node: { readonly nodeId: string; readonly nodeType: string; readonly durationMs: number }): void;
  nodeSkipped(node: { readonly nodeId: string; readonly nodeType: string; readonly reason: string }): void;
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
    nodeStarted: (node) => {
      metrics?.nodeStarted({
        step: node.step,
        nodeId: node.node_id,
        nodeType: node.node_type,
        attempt: node.attempt,
        limitMs: node.limit_ms,
      });
    },
    nodeFinished: (node) => {
      metrics?.recordNode({
        step: node.step,
        nodeId: node.node_id,
        nodeType: node.node_type,
        durationMs: node.duration_ms,
        success: true,
        retryCount: node.retries,
        isSkipped: node.skipped !== undefined,
      });
      const named = { nodeId: node.node_id, nodeType: node.node_type };
      if (node.skipped === undefined) audit?.nodeCompleted({ ...named, durationMs: node.duration_ms });
      else audit?.nodeSkipped({ ...named, reason: node.skipped });
    },
    nodeFailed: (node) => {
      metrics?.recordNode({
        step: node.step,
        nodeId: node.node_id,
        nodeType: node.node_type,
        durationMs: node.duration_ms,
        success: false,
        retryCount: node.retries,
        isSkipped: false,
        errorCode: node.error.code,
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
