/** The node library of a robot: the built-in nodes, with what they need from outside. */
import { createNodeRegistry, type NodeRegistry, type NodeType } from '@casare/execution';
import { createBrowserNodes, dataNodes } from '@casare/nodes';

export interface NodeLibraryOptions {
  /** The browser to drive; null or undefined: look for an installed one. */
  readonly browserPath?: string | null;
  /** Node types beside the built-in ones. */
  readonly extra?: readonly NodeType[];
}

export function createRegistry(options: NodeLibraryOptions = {}): NodeRegistry {
  return createNodeRegistry([
    ...dataNodes,
    ...createBrowserNodes({ executablePath: options.browserPath ?? undefined, hasDisplay: hasDisplay() }),
    ...(options.extra ?? []),
  ]);
}

/** On Linux a window needs a display server; a robot that runs as a service has none. */
function hasDisplay(): boolean {
  if (process.platform !== 'linux') return true;
  // biome-ignore lint/style/noProcessEnv: the display belongs to the session of this process, it is no setting of the robot
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  return (DISPLAY ?? '') !== '' || (WAYLAND_DISPLAY ?? '') !== '';
}
