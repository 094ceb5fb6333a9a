/** A checkpoint as its caller hands it over, and as it goes to the writer: checked, its secret parts apart. */
import { encodeJson } from '../json.ts';
import { checkNodeId, checkObject, checkSecretPaths, checkText } from '../queue-arguments.ts';
import { type SecretPath, takeSecrets } from '../secrets/secret-parts.ts';
import type { CheckpointToSave } from './checkpoint-log.ts';
import { type Iteration, iterationText } from './iteration.ts';
import { textsOf } from './state-delta.ts';

export interface CheckpointDraft {
  /** Default: `cp-` and the entry's number in the journal. */
  readonly checkpointId?: string;
  readonly nodeId: string;
  readonly state: object;
  /** Parts of the state that are kept sealed only; see `StoreOptions.keys`. */
  readonly secret?: readonly SecretPath[];
  /** The loops around the node and which turn of each: `['loop-1', 3]`. Default: none. */
  readonly iteration?: Iteration;
}

/** @throws StoreError `NOT_SERIALIZABLE`, `INVALID_ARGUMENT` */
export function encodeCheckpoint(draft: CheckpointDraft): CheckpointToSave {
  const { checkpointId, nodeId, state, secret = [], iteration = [] } = draft;
  checkText('checkpointId', checkpointId);
  const parts = checkSecretPaths(secret).length === 0 ? { open: state, secrets: [] } : takeSecrets(state, secret);
  return {
    nodeId: checkNodeId(nodeId),
    ...(checkpointId === undefined ? {} : { checkpointId }),
    texts: textsOf(checkObject(parts.open, 'checkpoint state')),
    secrets: encodeJson(parts.secrets, 'secret parts of the checkpoint'),
    iteration: iterationText(iteration),
  };
}
