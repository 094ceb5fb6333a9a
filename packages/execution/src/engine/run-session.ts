/** What the parts of one call of `runWorkflow` share, as one lane sees it. */
import type { FlowPlan } from './flow-plan.ts';
import type { NodeAccess } from './node-access.ts';
import type { NodeCall } from './node-context.ts';
import type { Notify } from './observe.ts';
import type { Restorer, RunResources } from './resources.ts';
import type { RunEvidence } from './run-evidence.ts';
import type { Interruption, RunOptions } from './run-options.ts';
import type { RunRecord } from './run-record.ts';
import type { Lane } from './run-state.ts';
import type { RunSecrets } from './secrecy/run-secrets.ts';
import type { StopControl } from './stop-control.ts';
import type { StopGraces } from './stop-graces.ts';
import type { LiveValues } from './unstorable/live-values.ts';

export interface RunSession {
  readonly options: RunOptions;
  readonly plan: FlowPlan;
  readonly record: RunRecord;
  readonly lane: Lane;
  readonly control: StopControl;
  readonly graces: StopGraces;
  /** Counts the steps of all lanes: they share the turns of the event loop. */
  readonly pace: { steps: number };
  readonly resources: RunResources;
  /** Null when nobody keeps what failed nodes leave. */
  readonly evidence: RunEvidence | null;
  readonly secrets: RunSecrets;
  /** Values that the state has only names for. */
  readonly live: LiveValues;
  readonly notify: Notify;
  /** What ended the earlier process, if this step is the one it hit; told once. */
  takeInterruption(openStep: number | null): Interruption | null;
  /** Restores lost resources on behalf of a call that asks for one. */
  readonly restorerFor: (run: RunSession, asking: NodeCall, access: NodeAccess) => Restorer;
  /** Reports a reference that nothing has set, once per node. */
  warnOfReference(nodeId: string, reference: string): void;
}
