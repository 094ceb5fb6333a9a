/** What runs take from the node library, wherever they run. */
import type { JobSurroundings } from '@casare/execution';
import { classifyRunError } from './classify-run-error.ts';
import type { NodeLibrary } from './compose-nodes.ts';

export function librarySurroundings(library: NodeLibrary): JobSurroundings {
  return {
    registry: library.registry,
    library: library.name,
    access: library.access,
    secrets: library.secrets,
    limits: library.limits,
    redact: (text) => library.redactor.text(text),
    classifyError: classifyRunError,
  };
}
