/**
 * The command line: which commands and options there are. Each command lives in its own module and is
 * loaded only when it is called, so that `--help` and `validate` stay quick.
 */
import { Command, CommanderError, Option } from 'commander';
import { robotVersion } from '../version.ts';
import { addAuditCommands } from './add-audit-commands.ts';
import { addJobCommands } from './add-job-commands.ts';
import { addLogCommands } from './add-log-commands.ts';
import { addNodeCommands } from './add-node-commands.ts';
import { addOutboxCommands } from './add-outbox-commands.ts';
import { addRobotCommands } from './add-robot-commands.ts';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { portNumber, variableOption } from './option-values.ts';
import { withPermissionFlags } from './permission-flags.ts';
import { processTerminal, type Terminal } from './terminal.ts';

/** Runs one command line and resolves with its exit code. */
export async function main(argv: readonly string[], terminal: Terminal = processTerminal()): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const program = buildProgram(terminal, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    return reportError(error, terminal);
  }
}

/** Expected errors whose exit code says more than their place. */
const knownCodes: ReadonlyMap<string, number> = new Map([
  ['STORE_OWNED', exitCodes.busy],
  ['ROBOT_TWIN', exitCodes.busy],
  ['JOB_PROCESSES_LEFT', exitCodes.busy],
  ['AUDIT_FOLDER_OWNED', exitCodes.busy],
  ['AUDIT_KEY_WRONG', exitCodes.config],
  ['AUDIT_UNREADABLE', exitCodes.config],
  ['DATA_DIR_IN_USE', exitCodes.busy],
  ['NODE_PACKAGE', exitCodes.config],
  ['KEY_WRONG', exitCodes.config],
  ['STORE_ACCESS', exitCodes.config],
  ['STORE_FOREIGN', exitCodes.config],
  ['STORE_TOO_NEW', exitCodes.config],
  ['STORE_UNSUPPORTED', exitCodes.config],
  ['RUN_UNKNOWN', exitCodes.usage],
  ['WORK_DIR', exitCodes.usage],
]);

function reportError(error: unknown, terminal: Terminal): number {
  if (error instanceof CliError) {
    terminal.note(`casare-robot: ${error.message}`);
    return error.exitCode;
  }
  const code = (error as { code?: unknown }).code;
  const known = typeof code === 'string' ? knownCodes.get(code) : undefined;
  const message = error instanceof Error ? error.message : String(error);
  if (typeof code === 'string' && code.startsWith('CONFIG_')) {
    terminal.note(`casare-robot: ${message}`);
    return exitCodes.config;
  }
  terminal.note(`casare-robot: ${message}`);
  if (known !== undefined) return known;
  if (typeof code !== 'string' && error instanceof Error && error.stack !== undefined) terminal.note(error.stack);
  return typeof code === 'string' ? exitCodes.unavailable : exitCodes.internal;
}

function buildProgram(terminal: Terminal, exit: (code: number) => void): Command {
  const program = new Command('casare-robot')
    .description('A robot that claims jobs from Supabase and runs their workflows, node by node.')
    .version(robotVersion)
    .configureOutput({ writeErr: (text) => terminal.note(text.trimEnd()) })
    .showHelpAfterError('(see --help)')
    .exitOverride();

  program
    .command('demo')
    .description('watch a robot run the example workflows on an embedded Supabase')
    .action(async () => exit(await (await import('./demo-command.ts')).demoCommand(terminal)));

  withPermissionFlags(program.command('run'))
    .description('run one workflow file here and now, without a database')
    .argument('[file]', 'workflow file (JSON)')
    .addOption(variableOption())
    .option('--work-dir <dir>', 'folder that relative paths of the workflow mean (default: the current folder)')
    .option(
      '--resume <run-id>',
      'go on with an interrupted run (or the beginning of its id), with its file, variables, folder and permissions',
    )
    .option('--retry', 'with --resume: what was interrupted, and may or may not have happened, runs again')
    .option('--skip', 'with --resume: go on behind it, without its outputs')
    .option('--fail', 'with --resume: it has failed, for try regions to take')
    .option('--json', 'print one JSON object on stdout and nothing else', false)
    .addHelpText(
      'after',
      [
        '\nExit codes: 0 completed, 1 failed, 2 usage, 3 in doubt: answer it with --resume and --retry, --skip or --fail,',
        '4 stopped on the way: go on with --resume, 65 invalid workflow, 75 another `run --resume` has it,',
        '78 configuration missing or wrong, 130 cancelled.',
        'Checkpoints are kept in CASARE_HOME/runs/<run id>.',
      ].join('\n'),
    )
    .action(async (file: string | undefined, options) =>
      exit(await (await import('./run-command.ts')).runCommand(file, options, terminal)),
    );

  program
    .command('validate')
    .description('check a workflow file without running anything')
    .argument('[file]', 'workflow file (JSON)')
    .option('--strict', 'treat warnings as errors', false)
    .option('--json', 'print the findings as one JSON object', false)
    .option('--schema', 'print the JSON Schema of workflow files with the nodes of this robot, for editors', false)
    .addHelpText('after', '\nExit codes: 0 valid, 65 invalid.')
    .action(async (file: string | undefined, options) =>
      exit(await (await import('./validate-command.ts')).validateCommand(file, options, terminal)),
    );

  withPermissionFlags(program.command('start'))
    .description('start the robot: claim jobs and run them until told to stop')
    .option('--local', "bring an embedded Supabase along (data in local-supabase of the robot's home)", false)
    .option('--config <file>', 'configuration file (default: CASARE_HOME/config.json, if there is one)')
    .addHelpText(
      'after',
      [
        '\nEnvironment: SUPABASE_URL, SUPABASE_KEY, CASARE_ROBOT_NAME, CASARE_MAX_CONCURRENT_JOBS, CASARE_HOME.',
        'SIGTERM or Ctrl-C: finish running jobs, then stop; again: cancel them; a third time: exit at once.',
        'Exit codes: 0 stopped as asked, 2 usage, 69 with --local: its database does not start, 75 another robot uses',
        'CASARE_HOME, or this one works elsewhere, 78 configuration missing or wrong, 130 ended at once by a third signal.',
      ].join('\n'),
    )
    .action(async (options) => exit(await (await import('./start-command.ts')).startCommand(options, terminal)));

  program
    .command('local')
    .description('run only the embedded Supabase; prints SUPABASE_URL= and SUPABASE_KEY= when it is ready')
    .option('--data-dir <dir>', 'where its data lives (default: CASARE_HOME/local-supabase)')
    .option('--throw-away', 'keep no data', false)
    .addOption(new Option('--port <port>', 'port on 127.0.0.1 (default: a free one)').argParser(portNumber))
    .action(async (options) => exit(await (await import('./local-command.ts')).localCommand(options, terminal)));

  addRobotCommands(program, terminal, exit);
  addJobCommands(program, terminal, exit);
  addLogCommands(program, terminal, exit);
  addNodeCommands(program, terminal, exit);
  addOutboxCommands(program, terminal, exit);
  addAuditCommands(program, terminal, exit);
  return program;
}
