/** `casare-robot outbox ...` on the command line. */
import type { Command } from 'commander';
import { positiveNumber } from './option-values.ts';
import type { Terminal } from './terminal.ts';

const exitCodeHelp =
  '\nThe robot of this machine is asked through its socket in CASARE_HOME; it needs no database.' +
  '\nExit codes: 0 done, 1 not all of the entries were there, 2 usage, 69 no robot runs, 77 it belongs to another account.';

export function addOutboxCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const outbox = program
    .command('outbox')
    .description('what the robot of this machine could not deliver to the database');
  const ofRobot = (name: string, description: string): Command =>
    outbox
      .command(name)
      .description(description)
      .addHelpText('after', exitCodeHelp)
      .option('--config <file>', 'configuration file (default: CASARE_HOME/config.json, if there is one)')
      .option('--json', 'print JSON', false);
  const numbers = (text: string, former: readonly number[] = []): readonly number[] => [
    ...former,
    positiveNumber(text),
  ];

  ofRobot('list', 'entries that the database refused for good, and why; the newest first')
    .option(
      '--superseded',
      'also those that the database keeps as evidence only: another claim holds the job, or it was ended or removed',
      false,
    )
    .action(async (options) => exit(await (await import('./outbox-commands.ts')).listOutbox(options, terminal)));

  ofRobot('requeue', 'send entries again, once what kept the database from taking them is mended')
    .argument('[no...]', 'numbers of entries', numbers, [])
    .option('--all', 'all of them', false)
    .action(async (ids: readonly number[], options) =>
      exit(await (await import('./outbox-commands.ts')).requeueOutbox(ids, options, terminal)),
    );

  ofRobot('discard', 'remove entries for good')
    .argument('[no...]', 'numbers of entries', numbers, [])
    .option('--all', 'all of them', false)
    .action(async (ids: readonly number[], options) =>
      exit(await (await import('./outbox-commands.ts')).discardOutbox(ids, options, terminal)),
    );
}
