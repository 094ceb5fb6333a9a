export {
  type AccessPolicy,
  type AccessRules,
  createAccessPolicy,
  type NetworkTarget,
  openAccess,
} from './access/access-policy.ts';
export { ArgumentError } from './argument-error.ts';
export { checkNodeType, nodeContractVersion } from './check-node-type.ts';
export { questionsIn } from './engine/ask.ts';
export {
  type CutOff,
  type CutOffs,
  cutOffLine,
  mayHaveHappened,
  type NamesCutOff,
  withCutOff,
} from './engine/cut-off.ts';
export { answers, askedBy, type DoubtAnswer, type DoubtDecision, type DoubtQuestion } from './engine/doubt.ts';
export type { BeginningStage, JobCourse } from './engine/job-course.ts';
export type {
  AnsweredEntry,
  BeganEntry,
  FailureEntry,
  InDoubtEntry,
  IntentEntry,
  InterruptedEntry,
  JournalEntry,
  LaneDroppedEntry,
  LaneStopEntry,
  OutcomeEntry,
  ResultEntry,
  RetryEntry,
  RunEnd,
  RunOutcome,
  RunStatistics,
  SnapshotEntry,
  StopEntry,
  SuspendCause,
} from './engine/journal.ts';
export { memoryJournal } from './engine/memory-journal.ts';
export { OpenIntents } from './engine/open-intents.ts';
export { ownVariables } from './engine/own-variables.ts';
export { redacted, redactedReport } from './engine/redact.ts';
export type { LiveResource, ResourceChange } from './engine/resource-record.ts';
export type { ResourceLimits } from './engine/resources.ts';
export type { BegunNode, FailureEvidence, FailureView, OpenResource } from './engine/run-evidence.ts';
export type {
  InDoubtPolicy,
  Interruption,
  JobTimeout,
  NodeEndNotice,
  NodeNotice,
  RunObserver,
  RunOptions,
  RunReport,
  SecretSource,
  StopRequest,
} from './engine/run-options.ts';
export { recordedStatistics } from './engine/run-report.ts';
export { runWorkflow } from './engine/run-workflow.ts';
export { type SecretPath, withHidden } from './engine/secrecy/secret-path.ts';
export { SecretTexts } from './engine/secrecy/secret-texts.ts';
export { type ErrorCategory, NodeError, type NodeErrorOptions, type RunError } from './errors.ts';
export {
  type Cancellation,
  CancellationChecker,
  type CancellationCheckerOptions,
  type CancellationListener,
  type CancellationWatch,
} from './jobs/cancellation-checker.ts';
export { GatewayError } from './jobs/gateway-error.ts';
export type {
  CancelAnswer,
  ClaimedJob,
  ClaimProgress,
  ClaimRequest,
  EnqueueRequest,
  GatewayCallOptions,
  InstanceAnswer,
  InstanceClaim,
  JobEvent,
  JobLogLine,
  JobLogPage,
  JobLogPosition,
  Lease,
  LeaseAnswer,
  LeaseOutcome,
  LogBatch,
  Presence,
  RedriveAnswer,
  RenewedLease,
  ResolveAnswer,
  RobotRegistration,
  TurnAnswer,
  TurnRequest,
} from './jobs/gateway-types.ts';
export { InProcessRunner, type InProcessRunnerOptions } from './jobs/in-process-runner.ts';
export type { JobCompleteListener, JobEnd } from './jobs/job-completion.ts';
export {
  type ExecutorStatus,
  type ExecutorStopMode,
  JobExecutor,
  type JobExecutorOptions,
  type SubmitOutcome,
} from './jobs/job-executor.ts';
export { JobGateway } from './jobs/job-gateway.ts';
export { JobLocker, type JobLockerOptions } from './jobs/job-locker.ts';
export { JobProgress, type JobProgressOptions } from './jobs/job-progress.ts';
export type { JobRunner, JobSpec } from './jobs/job-runner.ts';
export {
  type ProgressReport,
  ProgressReporter,
  type ProgressReporterOptions,
  ReportedProgress,
} from './jobs/progress-reporter.ts';
export { type ProgressShape, progressShape } from './jobs/progress-shape.ts';
export type { ProgressSnapshot, ProgressStage } from './jobs/progress-snapshot.ts';
export type { SubmitOptions } from './jobs/submit-options.ts';
export type { JsonObject, JsonValue } from './json.ts';
export {
  type BundleOptions,
  bundleWorkflow,
  type ReadSubworkflow,
  type SubworkflowFile,
  type WorkflowBundle,
} from './model/bundle-workflow.ts';
export { checkWorkflow } from './model/check-workflow.ts';
export { describeNodeType, type NodeDescription, type ParamDescription } from './model/describe-node-type.ts';
export type { Finding, FindingCode } from './model/finding.ts';
export { findingCodes } from './model/finding.ts';
export { workflowJsonSchema } from './model/json-schema/workflow-json-schema.ts';
export { createNodeRegistry, type NodeRegistry } from './model/registry.ts';
export type { Connection, Workflow, WorkflowNode, WorkflowScope, WorkflowSettings } from './model/workflow.ts';
export {
  type AccessScope,
  defineNode,
  type EffectKind,
  type LostResource,
  type NodeContext,
  type NodeIntent,
  type NodeResult,
  type NodeType,
  type ProbeVerdict,
  type ResourceScope,
  type SecretScope,
  type VariableScope,
} from './node-contract.ts';
export type { ClassifyError, Clock, ErrorVerdict, Logger, LogLevel, RpcPort, RunJournal } from './ports.ts';
export { type JobSurroundings, type ServeOptions, serveJobs } from './processes/child/serve-jobs.ts';
export { ProcessRunner, type ProcessRunnerOptions } from './processes/process-runner.ts';
export { systemClock } from './system-clock.ts';
