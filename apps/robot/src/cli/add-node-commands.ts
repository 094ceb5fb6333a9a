/** `casare-robot nodes ...` on the command line. */
import type { Command } from 'commander';
import type { Terminal } from './terminal.ts';

export function addNodeCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const nodes = program.command('nodes').description('show the node types that this robot has');
  const withConfig = (command: Command): Command =>
    command.option('--config <file>', 'configuration file (default: CASARE_HOME/config.json, if there is one)');

  withConfig(nodes.command('list'))
    .description('list the node types, built-in and of the configured packages')
    .option('--category <name>', 'only this category')
    .option('--json', 'print one JSON array', false)
    .action(async (options) => exit(await (await import('./nodes-commands.ts')).listNodes(options, terminal)));

  withConfig(nodes.command('show'))
    .description('show one node type: what it does, its config keys, ports and package')
    .argument('<type>', 'node type, such as WriteFileNode')
    .option('--json', 'print one JSON object', false)
    .action(async (type: string, options) =>
      exit(await (await import('./nodes-commands.ts')).showNode(type, options, terminal)),
    );
}
