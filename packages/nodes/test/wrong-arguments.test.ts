import { expect, it } from 'vitest';
import { captureBrowsers, createBrowserNodes, NodeError, searchBrowser } from '../src/index.ts';

// biome-ignore lint/suspicious/noExplicitAny: the point is what the types would not let through
type Anything = any;

const wrong: readonly unknown[] = [null, 42, 'x', true, [null], () => 1, Symbol('s')];
const captures = { redact: (text: string) => text, signal: new AbortController().signal };

it.each<[string, (value: Anything) => unknown]>([
  ['new NodeError', (value) => new NodeError('m', value)],
  ['the message of NodeError', (value) => new NodeError(value === 'x' ? 5 : value, { code: 'C' })],
  ['the options of createBrowserNodes', (value) => createBrowserNodes(Array.isArray(value) ? null : value)],
  ['traces of createBrowserNodes', (value) => createBrowserNodes({ traces: value === true ? 1 : value })],
  ['the type for searchBrowser', (value) => searchBrowser({ browserType: value })],
  ['the channel for searchBrowser', (value) => searchBrowser({ channel: value === 'x' ? 1 : value })],
  ['the objects of captureBrowsers', (value) => captureBrowsers(value, captures)],
  ['the options of captureBrowsers', (value) => captureBrowsers([], value)],
])('%s: what is wrong is refused by name', async (_call, call) => {
  for (const value of wrong) {
    await expect((async () => call(value))(), String(value)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  }
});
