/** `casare-robot audit ...` on the command line. */
import { AuditEventType, AuditSeverity } from '@casare/observability/audit-events';
import { type Command, Option } from 'commander';
import { oneOrMore, pointInTime, positiveNumber } from './option-values.ts';
import type { Terminal } from './terminal.ts';

export function addAuditCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const audit = program.command('audit').description("read, verify and export the robot's audit log");
  const ofFolder = (name: string, description: string): Command =>
    audit
      .command(name)
      .description(description)
      .option('--dir <folder>', "the log's folder, or a copy of it (default: that of the robot of this machine)")
      .option('--config <file>', 'configuration file (default: CASARE_HOME/config.json, if there is one)');
  const filtered = (command: Command): Command =>
    command
      .addOption(
        new Option('--type <type>', 'only this type, such as job.failed; may be given several times').argParser(
          oneOrMore(Object.values(AuditEventType)),
        ),
      )
      .addOption(new Option('--severity <level>', 'at least this severe').choices(Object.values(AuditSeverity)))
      .option('--job <id>', 'only of this job')
      .option('--node <id>', 'only of this node')
      .addOption(
        new Option('--since <time>', 'from then on: 2026-01-31, 2026-01-31T12:00Z, or 2h ago').argParser(pointInTime),
      )
      .addOption(new Option('--until <time>', 'up to then').argParser(pointInTime));

  filtered(ofFolder('query', 'show the last entries that match, oldest first'))
    .addOption(new Option('--limit <n>', 'how many at most').argParser(positiveNumber).default(100))
    .addOption(new Option('--format <format>').choices(['text', 'jsonl', 'csv']).default('text'))
    .action(async (options) => exit(await (await import('./audit-commands.ts')).queryAudit(options, terminal)));

  filtered(ofFolder('export', 'write all entries that match, oldest first'))
    .addOption(new Option('--limit <n>', 'only the last n').argParser(positiveNumber))
    .addOption(new Option('--format <format>').choices(['jsonl', 'csv']).default('jsonl'))
    .option('--output <file>', 'file to write; it must not exist (default: print)')
    .action(async (options) => exit(await (await import('./audit-commands.ts')).exportAudit(options, terminal)));

  ofFolder('verify', 'check offline that nothing was changed, removed or written anew')
    .option('--anchor <file>', 'anchors that were exported and kept elsewhere (see `audit anchors`)')
    .option('--public-key <file>', 'public keys whose signatures count: PEM, or JSON as in audit-keys.json')
    .option('--json', 'print one JSON object', false)
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing was changed, 1 something was (the first bad entry is named), 2 usage, or the log cannot be read.',
    )
    .action(async (options) => exit(await (await import('./audit-commands.ts')).verifyAudit(options, terminal)));

  ofFolder('anchors', 'export the newest anchors with the public keys, to be kept elsewhere')
    .addOption(
      new Option('--from <place>', "database: what the server holds; folder: the log's own signed checkpoints")
        .choices(['database', 'folder'])
        .default('database'),
    )
    .option('--robot <id>', 'robot whose anchors are meant (default: that of this machine)')
    .option('--local', 'use the embedded Supabase that `start --local` or `local` runs on this machine', false)
    .addOption(new Option('--limit <n>', 'how many at most').argParser(positiveNumber).default(1_000))
    .option('--output <file>', 'file to write; it must not exist (default: print)')
    .action(async (options) =>
      exit(await (await import('./audit-anchor-commands.ts')).exportAnchors(options, terminal)),
    );

  audit
    .command('rotate-key')
    .description('make a new key to sign with; the robot uses it from its next start on, vouched for by the old one')
    .option('--config <file>', 'configuration file (default: CASARE_HOME/config.json, if there is one)')
    .action(async (options) => exit(await (await import('./audit-anchor-commands.ts')).rotateKey(options, terminal)));
}
