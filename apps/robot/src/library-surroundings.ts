/** What runs take from the node library, wherever they run. */
import type { JobSurroundings } from '@casare/execution';
import { evidenceKeeper } from './bundle/evidence-keeper.ts';
import { classifyRunError } from './classify-run-error.ts';
import type { NodeLibrary, NodeLibrarySettings } from './compose-nodes.ts';

export function librarySurroundings(library: NodeLibrary, settings: NodeLibrarySettings): JobSurroundings {
  const evidence = evidenceKeeper(settings);
  return {
    registry: library.registry,
    library: library.name,
    access: library.access,
    secrets: library.secrets,
    limits: library.limits,
    redact: (text) => library.redactor.text(text),
    classifyError: classifyRunError,
    ...(evidence === undefined ? {} : { evidence }),
  };
}
