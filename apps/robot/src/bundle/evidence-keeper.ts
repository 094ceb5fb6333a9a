/** Keeps what a failed node leaves, in the process that ran it and before its browser is closed; see `FailureBundles`. */
import type { Settings } from '@casare/config';
import type { FailureEvidence, FailureView } from '@casare/execution';
import { captureBrowsers } from '@casare/nodes';
import { BundleFiles } from './bundle-files.ts';
import { isBundleId, stagingFolder } from './bundle-places.ts';
import { redactTrace } from './redact-trace.ts';

const megabyte = 1024 * 1024;

/** Undefined when bundles are switched off. */
export function evidenceKeeper({
  robot,
  failureBundles,
}: Pick<Settings, 'robot' | 'failureBundles'>): FailureEvidence | undefined {
  if (!failureBundles.enabled) return undefined;
  const maxBytes = failureBundles.maxMb * megabyte;
  return {
    async nodeFailed(view) {
      if (!isBundleId(view.jobId)) return;
      const files = await BundleFiles.begin(stagingFolder(robot.home, view.jobId), maxBytes);
      await files.writeJson('failure.json', {
        error: { ...view.error, node_id: view.error.node_id === null ? null : view.redact(view.error.node_id) },
        causes: view.causes,
        workflow_hash: view.workflowHash,
      });
      await files.writeJson(
        'nodes.json',
        view.lastNodes.map(({ at, node_id, ...node }) => ({
          ...node,
          node_id: view.redact(node_id),
          at: new Date(at).toISOString(),
        })),
      );
      await keepBrowsers(view, files, failureBundles.screenshots, maxBytes);
    },
  };
}

async function keepBrowsers(
  { resources, redact, signal }: FailureView,
  files: BundleFiles,
  screenshots: boolean,
  maxBytes: number,
): Promise<void> {
  const { pages, traces } = await captureBrowsers(resources, { redact, signal, screenshots });
  for (const [index, { picture }] of pages.entries()) {
    if (picture !== null) await files.write(`page-${index + 1}.png`, picture);
  }
  for (const [index, trace] of traces.entries()) {
    const name = `trace-${index + 1}.zip`;
    const clean = redactTrace(trace, redact, 10 * maxBytes);
    if (clean === null) files.leftOut.push(name);
    else await files.write(name, clean);
  }
  if (pages.length === 0 && files.leftOut.length === 0) return;
  await files.writeJson('pages.json', {
    pages: pages.map(({ picture, ...page }, index) => ({
      picture: picture === null ? null : `page-${index + 1}.png`,
      ...page,
    })),
    left_out: files.leftOut,
  });
}
