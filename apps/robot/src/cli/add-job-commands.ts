/** `casare-robot job ...` on the command line. */
import { type Command, Option } from 'commander';
import { attemptCount, positiveNumber, priority, variableOption } from './option-values.ts';
import type { Terminal } from './terminal.ts';

const exitCodeHelp =
  '\nExit codes: 0 done, 1 no such job, or nothing to be done with it, 2 usage, 65 invalid workflow, 69 database unreachable, 78 configuration missing or wrong.';

export function addJobCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const job = program.command('job').description('submit, watch, answer and cancel jobs');
  const withConnection = (command: Command): Command =>
    command
      .addHelpText('after', exitCodeHelp)
      .option('--config <file>', 'configuration file (default: CASARE_HOME/config.json, if there is one)')
      .option('--local', 'use the embedded Supabase that `start --local` or `local` runs on this machine', false);

  withConnection(job.command('submit'))
    .description('submit a workflow file as a job; prints the job id')
    .argument('<file>', 'workflow file (JSON)')
    .addOption(variableOption())
    .addOption(new Option('--priority <n>', 'higher runs first').argParser(priority).default(0))
    .addOption(
      new Option(
        '--on-lost <what>',
        'when its robot does not come back: hold it for that robot, or restart it on another one, from its first node on (what it did is done again)',
      )
        .choices(['hold', 'restart'])
        .default('hold'),
    )
    .addOption(
      new Option(
        '--max-attempts <n>',
        'how often it may be tried when what stopped it may pass (a transient error, a lost robot with restart); dead after the last',
      )
        .argParser(attemptCount)
        .default(1),
    )
    .option('--json', 'print {"job_id": ...}', false)
    .action(async (file: string, options) =>
      exit(await (await import('./job-commands.ts')).submitJob(file, options, terminal)),
    );

  withConnection(job.command('list'))
    .description('list jobs, newest first')
    .addOption(
      new Option('--status <status>', 'only jobs of this status; waiting: running, and in need of an answer').choices([
        'pending',
        'running',
        'waiting',
        'completed',
        'failed',
        'cancelled',
        'dead',
      ]),
    )
    .addOption(new Option('--limit <n>', 'how many at most').argParser(positiveNumber).default(50))
    .option('--json', 'print one JSON array', false)
    .action(async (options) => exit(await (await import('./job-commands.ts')).listJobs(options, terminal)));

  withConnection(job.command('show'))
    .description('show one job: status, progress, error, result, answers, attempts')
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

  withConnection(job.command('resolve'))
    .description('answer what a job in doubt, or a lost one, waits for; `job show` says what that is')
    .argument('<id>', 'job id, or the beginning of one')
    .option('--retry', 'run the node again; of a job as a whole: go on in spite of what has changed')
    .option('--skip', 'go on behind the node, without its outputs')
    .option('--fail', 'the node has failed, for try regions to take; of a job as a whole: it ends as failed')
    .option('--restart', 'a lost job, or one in doubt as a whole, begins anew under a new claim')
    .option('--node <id>', 'which node, when several wait')
    .addOption(new Option('--step <n>', 'which step, when one node waits several times').argParser(positiveNumber))
    .option('--json', 'print {"job_id": ..., "answer": ...}', false)
    .action(async (id: string, options) =>
      exit(await (await import('./resolve-commands.ts')).resolveJob(id, options, terminal)),
    );

  withConnection(job.command('redrive'))
    .description(
      'give a job that failed, or is dead, one more attempt, from its first node on: what it did is done again',
    )
    .argument('<id>', 'job id, or the beginning of one')
    .option('--json', 'print {"job_id": ..., "answer": ...}', false)
    .action(async (id: string, options) =>
      exit(await (await import('./resolve-commands.ts')).redriveJob(id, options, terminal)),
    );
}
