/** The built-in node library: data, text, files, HTTP and browsers. */
export {
  type BrowserCaptures,
  type BrowserChoice,
  type BrowserNodesOptions,
  type BrowserSearch,
  type BrowserType,
  browserNodes,
  type CaptureOptions,
  captureBrowsers,
  classifyBrowserError,
  createBrowserNodes,
  type FindBrowserOptions,
  findBrowser,
  type LiveObject,
  type PageCapture,
  type SearchBrowser,
  searchBrowser,
} from './browser/index.ts';
export { builtinNodes, dataNodes } from './builtin-nodes.ts';
export { type ErrorCategory, NodeError, type NodeErrorOptions } from './errors.ts';
export { libraryVersion } from './library-version.ts';
