/** `casare-robot status|pause|resume|limit|stop` on the command line: what the robot of this machine is asked. */
import { type Command, Option } from 'commander';
import { duration, positiveNumber } from './option-values.ts';
import type { Terminal } from './terminal.ts';

const exitCodeHelp =
  '\nExit codes: 0 done, 2 usage, 69 no robot runs in CASARE_HOME, 77 it belongs to another account, 78 configuration wrong.';

export function addRobotCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const ofRobot = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option('--config <file>', 'configuration file (default: CASARE_HOME/config.json, if there is one)')
      .option('--json', 'print one JSON object', false)
      .addHelpText('after', exitCodeHelp);

  ofRobot('status', 'show the robot that runs on this machine: its jobs, connection, limit, pause').action(
    async (options) => exit(await (await import('./control-commands.ts')).statusCommand(options, terminal)),
  );

  ofRobot('pause', 'take no new jobs until told otherwise; running jobs go on; survives a restart')
    .option('--note <text>', 'why; shown with the status')
    .addOption(new Option('--timeout <duration>', 'resume by itself after 90s, 10m, 2h ...').argParser(duration))
    .action(async (options) => exit(await (await import('./control-commands.ts')).pauseCommand(options, terminal)));

  ofRobot('resume', 'take new jobs again')
    .option('--note <text>', 'why; recorded in the audit log')
    .action(async (options) => exit(await (await import('./control-commands.ts')).resumeCommand(options, terminal)));

  ofRobot('limit', 'how many jobs may run at the same time, until the robot stops; running jobs go on')
    .argument('<n>', 'a whole number of at least 1', positiveNumber)
    .action(async (limit: number, options) =>
      exit(await (await import('./control-commands.ts')).limitCommand(limit, options, terminal)),
    );

  program
    .command('moved')
    .description('say that the last place of this robot is gone for good: the home that is started next takes it')
    .option('--id <uuid>', "which robot (default: this home's)")
    .option('--config <file>', 'configuration file (default: CASARE_HOME/config.json, if there is one)')
    .option('--json', 'print one JSON object', false)
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 no such robot, 2 usage, 69 database unavailable, 78 configuration wrong.',
    )
    .action(async (options) => exit(await (await import('./moved-command.ts')).movedCommand(options, terminal)));

  ofRobot('stop', 'stop the robot and wait until it is gone')
    .addOption(
      new Option(
        '--mode <mode>',
        'drain: running jobs end first; cancel: they are cancelled; suspend: they resume later',
      )
        .choices(['drain', 'cancel', 'suspend'])
        .default('drain'),
    )
    .option('--no-wait', 'do not wait')
    .action(async (options) => exit(await (await import('./control-commands.ts')).stopCommand(options, terminal)));
}
