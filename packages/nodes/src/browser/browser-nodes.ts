/** The browser nodes as a set, and what they need of the machine. */
import type { NodeType } from '../ports.ts';
import { clickElementNode } from './click-element-node.ts';
import { type SearchBrowser, searchBrowser } from './find-browser.ts';
import { pressKeyNode, selectDropdownNode } from './input-nodes.ts';
import { launchBrowserNode } from './launch-browser-node.ts';
import { goBackNode, goForwardNode, goToUrlNode, refreshPageNode, waitForNavigationNode } from './navigation-nodes.ts';
import { extractTextNode, getAttributeNode, waitForElementNode } from './read-nodes.ts';
import { requireKind, requireSearchOptions } from './require-options.ts';
import { screenshotNode } from './screenshot-node.ts';
import { closeBrowserNode, newTabNode } from './session-nodes.ts';
import { typeTextNode } from './type-text-node.ts';

export interface BrowserNodesOptions {
  /** The browser to use and no other (`CASARE_BROWSER_PATH`). Default: search for one; see `findBrowser`. */
  readonly executablePath?: string | undefined;
  /** Where the bundled Chromium is unpacked to. Default: a private folder in the temporary folder. */
  readonly cacheDir?: string | undefined;
  /** Parent of the browsers' temporary profiles. Default: the temporary folder. */
  readonly tempDir?: string | undefined;
  /** Whether windows can be shown (on Linux: `DISPLAY` or `WAYLAND_DISPLAY` is set). Default: false on Linux, else true. */
  readonly hasDisplay?: boolean | undefined;
  /** Whether browsers keep a trace of their last actions for `captureBrowsers`. Default false. */
  readonly traces?: boolean | undefined;
  /** Replaces the search for a browser. */
  readonly search?: SearchBrowser | undefined;
}

/**
 * The browser nodes, set up for this machine.
 *
 * @throws NodeError `INVALID_ARGUMENT` naming the option that is of another kind
 * @example
 * const nodes = createBrowserNodes({ executablePath: '/usr/bin/chromium', hasDisplay: false });
 */
export function createBrowserNodes(options: BrowserNodesOptions = {}): readonly NodeType[] {
  requireOptions(options);
  const { executablePath, cacheDir, search = searchBrowser } = options;
  const launch = launchBrowserNode({
    search: (wishes) => search({ ...wishes, executablePath, cacheDir }),
    hasDisplay: options.hasDisplay ?? process.platform !== 'linux',
    isRoot: process.getuid?.() === 0,
    tempDir: options.tempDir,
    isTraced: options.traces === true,
  });
  return [
    launch,
    closeBrowserNode,
    newTabNode,
    goToUrlNode,
    goBackNode,
    goForwardNode,
    refreshPageNode,
    waitForNavigationNode,
    waitForElementNode,
    clickElementNode,
    typeTextNode,
    selectDropdownNode,
    pressKeyNode,
    extractTextNode,
    getAttributeNode,
    screenshotNode,
  ];
}

/** The browser nodes with every default. */
export const browserNodes: readonly NodeType[] = createBrowserNodes();

function requireOptions(options: BrowserNodesOptions): void {
  requireSearchOptions(options);
  const { tempDir, hasDisplay, traces, search } = options;
  requireKind('tempDir', tempDir, 'string');
  requireKind('hasDisplay', hasDisplay, 'boolean');
  requireKind('traces', traces, 'boolean');
  requireKind('search', search, 'function');
}
