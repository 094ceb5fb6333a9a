/**
 * The permissions as one call of a node meets them. A refusal is remembered: a node that catches it and goes
 * on has failed all the same (see `unlessRefused`).
 */
import { resolve } from 'node:path';
import type { AccessPolicy } from '../access/access-policy.ts';
import type { NodeError } from '../errors.ts';
import type { AccessScope } from '../node-contract.ts';

export interface NodeAccess {
  readonly scope: AccessScope;
  resolvePath(path: string): string;
  /** The first refusal that this call met; null when there was none. */
  refusal(): NodeError | null;
}

export function nodeAccess(policy: AccessPolicy, workDir: string): NodeAccess {
  let first: NodeError | null = null;
  const refuse = (refusal: NodeError): never => {
    first ??= refusal;
    throw refusal;
  };
  const require = (refusal: NodeError | null): void => {
    if (refusal !== null) refuse(refusal);
  };
  return {
    scope: {
      isNetworkOpen: policy.isNetworkOpen,
      areCommandsOpen: policy.areCommandsOpen,
      requireCommand: (command) => require(policy.refusalOfCommand(command)),
      requireNetwork: (target) => require(policy.refusalOfNetwork(target)),
      refusalOfNetwork: (target) => policy.refusalOfNetwork(target),
      refusalOfPath: (path) => policy.refusalOfPath(resolve(workDir, path), workDir),
      refuse: (refusal) => refuse(refusal as NodeError),
    },
    resolvePath(path) {
      const absolute = resolve(workDir, path);
      require(policy.refusalOfPath(absolute, workDir));
      return absolute;
    },
    refusal: () => first,
  };
}
