/** The built-in node library: data, text, files, HTTP and browsers. */
export {
  type BrowserChoice,
  type BrowserNodesOptions,
  type BrowserSearch,
  type BrowserType,
  browserNodes,
  classifyBrowserError,
  createBrowserNodes,
  type FindBrowserOptions,
  findBrowser,
  type SearchBrowser,
  searchBrowser,
} from './browser/index.ts';
export { builtinNodes, dataNodes } from './builtin-nodes.ts';
export { type ErrorCategory, NodeError, type NodeErrorOptions } from './errors.ts';
export { libraryVersion } from './library-version.ts';
