/** A robot of its own for tests that kill it: starts a browser with its profile below the given folder, and waits. */
import { openAccess } from '@casare/execution';
import { createBrowserNodes } from '../../src/browser/index.ts';
import type { NodeContext } from '../../src/ports.ts';
import { accessScope } from '../context.ts';

const launch = createBrowserNodes({ tempDir: String(process.argv[2]) }).find(
  ({ type }) => type === 'LaunchBrowserNode',
);
if (launch === undefined) throw new Error('there is no LaunchBrowserNode');
const context = {
  nodeId: 'launch',
  params: launch.params.parse(Object.fromEntries(Object.keys(launch.params.shape).map((name) => [name, undefined]))),
  given: () => false,
  signal: new AbortController().signal,
  log: { log: () => undefined },
  clock: { sleep: () => new Promise<void>(() => undefined) },
  access: accessScope(openAccess),
  resources: {
    put: () => ({ id: '1' }),
    get: () => undefined,
    close: async () => false,
    requireRoom: () => undefined,
    note: () => undefined,
  },
} as unknown as NodeContext;
await launch.run(context);
process.stdout.write('launched\n');
setInterval(() => undefined, 60_000);
