/** The script of a job process, and its composition root: joins the node library with the runner's other side. */
import { serveJobs } from '@casare/execution';
import { createNodeLibrary, type NodeLibrarySettings } from './compose-nodes.ts';
import { librarySurroundings } from './library-surroundings.ts';

await serveJobs({
  open: async (setup) => librarySurroundings(await createNodeLibrary(setup as unknown as NodeLibrarySettings)),
});
