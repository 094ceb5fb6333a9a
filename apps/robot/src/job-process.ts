/** The script of a job process, and its composition root: joins the node library with the runner's other side. */
import { serveJobs } from '@casare/execution';
import { createNodeLibrary, type NodeLibrarySettings } from './compose-nodes.ts';
import { librarySurroundings } from './library-surroundings.ts';
import { redactOutput } from './logs/redact-output.ts';

await serveJobs({
  open: async (setup) => {
    const settings = setup as unknown as NodeLibrarySettings;
    const library = await createNodeLibrary(settings);
    redactOutput([process.stdout, process.stderr], (text) => library.redactor.text(text));
    return librarySurroundings(library, settings);
  },
});
