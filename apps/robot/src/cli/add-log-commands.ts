/** `casare-robot logs`, `job logs` and `job bundle` on the command line. */
import { type Command, Option } from 'commander';
import { notNegative, pointInTime } from './option-values.ts';
import type { Terminal } from './terminal.ts';

const levels = ['debug', 'info', 'warning', 'error', 'critical'] as const;

export function addLogCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  program
    .command('logs')
    .description("show this machine's robot log, over all its files; with or without a running robot")
    .option('-f, --follow', 'go on with new lines until interrupted (begins with the last 10 unless -n says otherwise)')
    .option('--job <id>', 'only lines of this job: its id, or as much of it as no other job in the log shares')
    .addOption(new Option('--level <level>', 'least level').choices(levels))
    .addOption(
      new Option(
        '--since <time>',
        'a duration back from now (90s, 10m, 2h) or a time (2026-05-04T12:00:00Z)',
      ).argParser(pointInTime),
    )
    .addOption(new Option('-n, --lines <n>', 'only the last so many lines').argParser(notNegative))
    .option('--json', 'one JSON object a line, as in the files', false)
    .option('--config <file>', 'configuration file (default: CASARE_HOME/config.json, if there is one)')
    .addHelpText('after', '\nExit codes: 0 done, 1 there is no log yet, 2 usage, 78 configuration wrong.')
    .action(async (options) => exit(await (await import('./log-commands.ts')).logsCommand(options, terminal)));

  const job = program.commands.find((command) => command.name() === 'job');
  job
    ?.command('logs')
    .description('show what a job logged, as its robots sent it; says where lines are missing')
    .argument('<id>', 'job id, or the beginning of one')
    .option('-f, --follow', 'go on with new lines until the job has ended')
    .addOption(new Option('--level <level>', 'least level').choices(levels))
    .option('--config <file>', 'configuration file (default: CASARE_HOME/config.json, if there is one)')
    .option('--local', 'use the embedded Supabase that `start --local` or `local` runs on this machine', false)
    .option('--json', 'one JSON object a line', false)
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 no such job, 2 usage, 69 database unreachable, 78 configuration missing or wrong.',
    )
    .action(async (id: string, options) =>
      exit(await (await import('./job-log-commands.ts')).jobLogsCommand(id, options, terminal)),
    );

  job
    ?.command('bundle')
    .description('show what is kept of a failed job on this machine: error, last nodes, pictures of pages, log')
    .argument('<id>', 'job or run id, or the beginning of one')
    .option('--out <path>', 'copy it to a new file (.zip) or folder')
    .option('--config <file>', 'configuration file (default: CASARE_HOME/config.json, if there is one)')
    .option('--local', 'ask the embedded Supabase which robot has it', false)
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', '\nExit codes: 0 done, 1 it is not on this machine, 2 usage, 78 configuration wrong.')
    .action(async (id: string, options) =>
      exit(await (await import('./bundle-command.ts')).bundleCommand(id, options, terminal)),
    );
}
