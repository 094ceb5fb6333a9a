/** `casare-robot nodes list|show`: the node types that this robot has. */
import { loadConfig } from '@casare/config';
import { describeNodeType, type NodeDescription, type NodeType, type ParamDescription } from '@casare/execution';
import { createNodeLibrary, type NodeLibrary } from '../compose-nodes.ts';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

interface NodeFlags {
  readonly config?: string;
  readonly json: boolean;
}

export async function listNodes(
  options: NodeFlags & { readonly category?: string },
  terminal: Terminal,
): Promise<number> {
  const library = await libraryOf(options);
  const all = library.registry.list();
  const types = options.category === undefined ? all : all.filter(({ category }) => category === options.category);
  if (types.length === 0) {
    const known = [...new Set(all.map(({ category }) => category))].sort().join(', ');
    throw new CliError(exitCodes.usage, `there is no category "${options.category}"; there are ${known}`);
  }
  const rows = types.map((type) => ({
    type: type.type,
    category: type.category,
    description: type.description,
    ...packageOf(library, type),
  }));
  if (options.json) terminal.print(JSON.stringify(rows));
  else {
    const width = Math.max(...rows.map(({ type }) => type.length));
    for (const { type, category, description } of rows) {
      terminal.print(`${type.padEnd(width)}  ${category.padEnd(14)}  ${description}`);
    }
  }
  return exitCodes.ok;
}

export async function showNode(name: string, options: NodeFlags, terminal: Terminal): Promise<number> {
  const library = await libraryOf(options);
  const type = library.registry.get(name);
  if (type === undefined) {
    const nearest = library.registry.nearest(name);
    const hint = nearest === null ? 'see `casare-robot nodes list`' : `did you mean ${nearest}?`;
    throw new CliError(exitCodes.usage, `there is no node type "${name}"; ${hint}`);
  }
  const description = { ...describeNodeType(type), ...packageOf(library, type) };
  if (options.json) terminal.print(JSON.stringify(description));
  else for (const line of linesOf(description)) terminal.print(line);
  return exitCodes.ok;
}

async function libraryOf(flags: NodeFlags): Promise<NodeLibrary> {
  return createNodeLibrary(loadConfig(flags.config === undefined ? {} : { file: flags.config }).config);
}

/** Control-flow nodes belong to the engine. */
function packageOf(
  library: NodeLibrary,
  type: NodeType,
): { readonly package: string; readonly version: string | null } {
  const owner = library.packages.find(({ types }) => types.includes(type));
  return owner === undefined
    ? { package: '@casare/execution', version: null }
    : { package: owner.name, version: owner.version };
}

function linesOf(node: NodeDescription & { readonly package: string; readonly version: string | null }): string[] {
  const { effect: usual, effectDependsOnConfig: varies } = node;
  const byDefault = usual === null ? '' : ` (${usual} with the defaults)`;
  const effect = usual === null || varies ? `depends on its config${byDefault}` : usual;
  const notes = [
    ...(node.probes ? ['probed after a crash'] : []),
    ...(node.restores ? ['restored after a restart'] : []),
  ];
  return [
    `${node.type}${node.aliases.length > 0 ? ` (also ${node.aliases.join(', ')})` : ''}`,
    node.description,
    '',
    `category  ${node.category}`,
    `package   ${node.package}${node.version === null ? '' : `@${node.version}`}`,
    `effect    ${[effect, ...notes].join(', ')}`,
    `exits     ${node.exits.join(', ') || 'none'}`,
    `outputs   ${node.outputs.join(', ') || 'none'}`,
    '',
    node.config.length === 0 ? 'no config keys' : 'config keys, each also a data input port:',
    ...node.config.map((param) => `  ${paramLine(param)}`),
  ];
}

function paramLine({ name, kinds, required, default: fallback, choices }: ParamDescription): string {
  const kind = choices === undefined ? kinds.join(' or ') || 'any value' : `one of ${choices.join(', ')}`;
  const presence = required ? 'required' : fallback === undefined ? 'optional' : `default ${JSON.stringify(fallback)}`;
  return `${name.padEnd(24)} ${kind}; ${presence}`;
}
