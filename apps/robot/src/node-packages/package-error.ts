/** What is wrong with a node package, and what to do about it. */
export class NodePackageError extends Error {
  readonly code = 'NODE_PACKAGE';

  /** @param place the package's name or path, as the configuration has it */
  constructor(place: string, problem: string, cause?: unknown) {
    super(`the node package "${place}" ${problem}`, cause === undefined ? undefined : { cause });
    this.name = 'NodePackageError';
  }
}
