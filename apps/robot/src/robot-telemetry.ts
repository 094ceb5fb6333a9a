/** What metrics and audit hear of a job. Either may be switched off. */
import {
  type DoubtQuestion,
  type JsonObject,
  mayHaveHappened,
  type NamesCutOff,
  type RunEnd,
  type RunError,
} from '@casare/execution';
import {
  type AuditErrorInfo,
  AuditEventType,
  type AuditLogger,
  type JobEnd,
  type MetricsCollector,
  type Redactor,
} from '@casare/observability';
import type { JobTelemetry } from './desk-ports.ts';
import { doubtText, type NamedQuestion } from './doubt-text.ts';
import type { JobActivity } from './status/job-activity.ts';

export interface TelemetryParts {
  readonly metrics: MetricsCollector | null;
  readonly audit: AuditLogger | null;
  readonly activity: JobActivity;
  readonly redactor: Pick<Redactor, 'text'>;
}

export function robotTelemetry({ metrics, audit, activity, redactor }: TelemetryParts): JobTelemetry {
  return {
    metricsFor({ jobId, name }, start) {
      const handle = metrics?.startJob(jobId, redactor.text(name), start);
      activity.begin(jobId);
      return {
        nodeStarted: (node) => activity.started(jobId, node),
        recordNode: ({ step, isSkipped, ...node }) => {
          activity.ended(jobId, step, { ...node, success: node.success && !isSkipped, isSkipped });
          if (!isSkipped) handle?.recordNode(node);
        },
        end: (end) => {
          activity.end(jobId);
          handle?.endJob(metricsEnd(end, redactor));
        },
      };
    },
    auditFor({ jobId }) {
      if (audit === null) return null;
      return {
        started: (totalNodes) => void audit.jobStarted({ jobId, totalNodes }),
        resumed: (totalNodes, step) => void audit.jobResumed({ jobId, totalNodes, ...(step === null ? {} : { step }) }),
        nodeCompleted: (node) => void audit.nodeCompleted({ jobId, ...node }),
        nodeSkipped: (node) => void audit.nodeSkipped({ jobId, ...node }),
        nodeFailed: (node) => void audit.nodeFailed({ jobId, ...node, error: asAuditError(node.error) }),
        ended: (end) => auditEnd(audit, jobId, end),
      };
    },
    received: (job) => {
      const { jobId, attempt, name } = job;
      audit?.jobClaimed({ jobId, attempt, workflowName: name });
    },
    resumed: ({ jobId, state }) => {
      const message = `Job found in the local store again after a restart (${state})`;
      audit?.log(AuditEventType.JOB_RESUMED, message, { jobId, details: { state } });
    },
    leaseLost: (jobId) => {
      audit?.jobLeaseLost({ jobId });
    },
    released: (jobId, reason) => {
      audit?.jobReleased({ jobId, reason });
    },
    cancelRequested: (jobId, requestedBy, reason, requestedFrom = null) => {
      const from = requestedFrom === null ? {} : { requested_from: requestedFrom };
      audit?.jobCancelRequested({ jobId, requestedBy, reason, ...from });
    },
    answered: (jobId, { node_id, step, attempt, answer, by, at }, nodeType) => {
      audit?.jobAnswered({
        jobId,
        ...(node_id === null ? {} : { nodeId: node_id, nodeType }),
        step,
        attempt,
        answer,
        actor: by,
        givenAt: at,
      });
    },
    ended: ({ jobId, name }, end) => {
      // No run is under way that could be interrupted; the job itself counts, however long ago it ran.
      if (end.status !== 'in_doubt' && end.status !== 'suspended')
        metrics?.startJob(jobId, redactor.text(name)).endJob(metricsEnd(end, redactor));
      if (audit !== null) auditEnd(audit, jobId, end);
    },
    stepsLost: (jobId, detail) => {
      audit?.storeIncident({ kind: 'job-in-doubt', jobId, detail });
    },
  };
}

function metricsEnd(end: RunEnd, redactor: TelemetryParts['redactor']): JobEnd {
  return end.status === 'failed' ? failureOf(end.error, redactor) : { status: end.status };
}

function failureOf({ code, message, node_id: nodeId }: RunError, redactor: TelemetryParts['redactor']): JobEnd {
  const named = nodeId === null ? {} : { nodeId: redactor.text(nodeId) };
  return { status: 'failed', errorCode: code, errorMessage: message, ...named };
}

function auditEnd(audit: AuditLogger, jobId: string, end: RunEnd): void {
  const durationMs = end.duration_ms;
  switch (end.status) {
    case 'completed':
      audit.jobCompleted({ jobId, durationMs, nodesExecuted: end.nodes_executed, ...namesOf(end) });
      return;
    case 'failed':
      audit.jobFailed({
        jobId,
        ...(end.error.node_id === null ? {} : { nodeId: end.error.node_id }),
        durationMs,
        error: asAuditError({ ...end.error } as JsonObject),
      });
      return;
    case 'cancelled':
      auditCancelled(audit, jobId, end);
      return;
    case 'in_doubt':
      auditInDoubt(audit, jobId, end.nodes);
      return;
    case 'suspended':
      audit.jobReleased({ jobId, reason: `suspended: ${end.reason}` });
      return;
  }
}

/** @param nodes with their types, where the job's desk knows them */
function auditInDoubt(audit: AuditLogger, jobId: string, nodes: readonly (DoubtQuestion | NamedQuestion)[]): void {
  const named = nodes.map((node) => ({ ...node, node_type: 'node_type' in node ? node.node_type : null }));
  const nodeId = named.find(({ node_id: id }) => id !== null)?.node_id ?? null;
  audit.jobInDoubt({ jobId, ...(nodeId === null ? {} : { nodeId }), nodes: named, reason: doubtText(named) });
}

function auditCancelled(
  audit: AuditLogger,
  jobId: string,
  end: Extract<RunEnd, { readonly status: 'cancelled' }>,
): void {
  const { duration_ms: durationMs, reason, requested_by: requestedBy } = end;
  const whatMayBe = end.may_have_happened === undefined ? '' : `; ${mayHaveHappened(end)}`;
  audit.jobCancelled({ jobId, durationMs, requestedBy, ...namesOf(end), reason: `${reason}${whatMayBe}` });
}

function namesOf({ may_have_happened: named = [], may_have_happened_more: more = 0 }: NamesCutOff) {
  const [first] = named;
  if (first === undefined) return {};
  return { nodeId: first.node_id, may_have_happened: named, ...(more === 0 ? {} : { may_have_happened_more: more }) };
}

function asAuditError(error: JsonObject): AuditErrorInfo {
  return { ...error, code: String(error.code), message: String(error.message) };
}
