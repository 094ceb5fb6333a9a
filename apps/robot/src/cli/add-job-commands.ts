/** `casare-robot job ...` on the command line. */
import { type Command, Option } from 'commander';
import { variableOption, wholeNumber } from './option-values.ts';
import type { Terminal } from './terminal.ts';

const exitCodeHelp =
  '\nExit codes: 0 done, 1 no such job, or it has already ended, 2 usage, 65 invalid workflow, 69 database unreachable, 78 configuration missing or wrong.';

export function addJobCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const job = program.command('job').description('submit, watch and cancel jobs');
  const withConnection = (command: Command): Command =>
    command
      .addHelpText('after', exitCodeHelp)
      .option('--config <file>', 'configuration file (default: CASARE_HOME/config.json, if there is one)')
      .option('--local', 'use the embedded Supabase that `start --local` or `local` runs on this machine', false);

  withConnection(job.command('submit'))
    .description('submit a workflow file as a job; prints the job id')
    .argument('<file>', 'workflow file (JSON)')
    .addOption(variableOption())
    .addOption(new Option('--priority <n>', 'higher runs first').argParser(wholeNumber).default(0))
    .option('--json', 'print {"job_id": ...}', false)
    .action(async (file: string, options) =>
      exit(await (await import('./job-commands.ts')).submitJob(file, options, terminal)),
    );

  withConnection(job.command('list'))
    .description('list jobs, newest first')
    .addOption(
      new Option('--status <status>', 'only jobs of this status').choices([
        'pending',
        'running',
        'completed',
        'failed',
        'cancelled',
        'dead',
      ]),
    )
    .addOption(new Option('--limit <n>', 'how many at most').argParser(wholeNumber).default(50))
    .option('--json', 'print one JSON array', false)
    .action(async (options) => exit(await (await import('./job-commands.ts')).listJobs(options, terminal)));

  withConnection(job.command('show'))
    .description('show one job: status, progress, error, result, attempts')
    .argument('<id>', 'job id, or the beginning of one')
    .option('--json', 'print one JSON object', false)
    .action(async (id: string, options) =>
      exit(await (await import('./job-commands.ts')).showJob(id, options, terminal)),
    );

  withConnection(job.command('cancel'))
    .description('cancel a waiting job, or ask a running one to stop')
    .argument('<id>', 'job id, or the beginning of one')
    .option('--reason <text>', 'why; shown with the job')
    .option('--json', 'print one JSON object', false)
    .action(async (id: string, options) =>
      exit(await (await import('./job-commands.ts')).cancelJob(id, options, terminal)),
    );
}
