/** Browser nodes: real browsers, driven with Playwright. */
export { type BrowserNodesOptions, browserNodes, createBrowserNodes } from './browser-nodes.ts';
export {
  type BrowserCaptures,
  type CaptureOptions,
  captureBrowsers,
  type LiveObject,
  type PageCapture,
} from './capture-pages.ts';
export { classifyBrowserError } from './error-rules.ts';
export {
  type BrowserChoice,
  type BrowserSearch,
  type BrowserType,
  type FindBrowserOptions,
  findBrowser,
  type SearchBrowser,
  searchBrowser,
} from './find-browser.ts';
