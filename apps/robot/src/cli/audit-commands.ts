/** `casare-robot audit query|export|verify`: works on the log's files alone, also beside a running robot. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { loadConfig, validateConfig } from '@casare/config';
import {
  type AuditEntry,
  AuditError,
  type AuditEventType,
  type AuditFilter,
  type AuditSeverity,
  type AuditVerification,
  csvHeader,
  csvRow,
  escapeControl,
  parseAnchorFile,
  parsePublicKeys,
  readAuditLog,
  streamAuditLog,
  verifyAuditLog,
} from '@casare/observability';
import { placeOf } from '../audit-check.ts';
import { messageOf } from '../message-of.ts';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { findAuditedJob } from './find-audited-job.ts';
import { factLines } from './table.ts';
import type { Terminal } from './terminal.ts';
import { whyUnreadable } from './why-unreadable.ts';

export interface AuditFolderFlags {
  readonly dir?: string;
  readonly config?: string;
}

interface FilterFlags extends AuditFolderFlags {
  readonly type?: readonly AuditEventType[];
  readonly severity?: AuditSeverity;
  readonly job?: string;
  readonly node?: string;
  readonly since?: number;
  readonly until?: number;
  readonly limit?: number;
  readonly format: 'text' | 'jsonl' | 'csv';
}

export async function queryAudit(flags: FilterFlags, terminal: Terminal): Promise<number> {
  const folder = auditFolder(flags);
  const filter = await filterOf(flags, folder);
  const { limit } = filter;
  const oneMore = limit === undefined ? filter : { ...filter, limit: limit + 1 };
  const { entries: found, damaged } = await readAuditLog(folder, oneMore);
  const entries = limit === undefined ? found : found.slice(-limit);
  const show = rowOf(flags.format);
  if (flags.format === 'csv') terminal.print(csvHeader);
  for (const entry of entries) terminal.print(show(entry));
  if (entries.length < found.length) terminal.note(`the last ${limit} of these; --limit N for more`);
  if (damaged.length > 0) {
    terminal.note(`${damaged.length} damaged line(s), the first in ${damaged[0]?.file}; see \`audit verify\``);
  }
  if (entries.length > 0) return exitCodes.ok;
  if (damaged.length === 0 && (await readAuditLog(folder, { limit: 1 })).entries.length === 0) {
    terminal.note(`casare-robot: there is no audit log in ${folder} yet`);
    return exitCodes.failed;
  }
  if (flags.format === 'text') terminal.note('no entry matches');
  return exitCodes.ok;
}

export async function exportAudit(
  flags: FilterFlags & { readonly output?: string },
  terminal: Terminal,
): Promise<number> {
  const folder = auditFolder(flags);
  const filter = await filterOf(flags, folder);
  const show = rowOf(flags.format);
  const entries =
    flags.limit === undefined ? streamAuditLog(folder, filter) : (await readAuditLog(folder, filter)).entries;
  await writeLines(flags.output, terminal, async (print) => {
    if (flags.format === 'csv') print(csvHeader);
    try {
      for await (const entry of entries) print(show(entry));
    } catch (error) {
      // The settings are right; the export is not whole.
      if (error instanceof AuditError)
        throw new CliError(exitCodes.failed, `the export is not whole: ${error.message}`);
      throw error;
    }
  });
  return exitCodes.ok;
}

export async function verifyAudit(
  flags: AuditFolderFlags & { readonly anchor?: string; readonly publicKey?: string; readonly json: boolean },
  terminal: Terminal,
): Promise<number> {
  const folder = auditFolder(flags);
  let verification: AuditVerification;
  try {
    const anchor = flags.anchor === undefined ? null : parseAnchorFile(textOf(flags.anchor), flags.anchor);
    const keys = flags.publicKey === undefined ? null : parsePublicKeys(textOf(flags.publicKey), flags.publicKey);
    verification = await verifyAuditLog(folder, {
      anchors: anchor?.anchors ?? [],
      publicKeys: keys ?? anchor?.public_keys ?? [],
    });
  } catch (error) {
    throw new CliError(exitCodes.usage, messageOf(error));
  }
  if (flags.json) terminal.print(JSON.stringify({ folder, ...verification }));
  else for (const line of verificationLines(folder, verification)) terminal.print(line);
  return verification.ok ? exitCodes.ok : exitCodes.failed;
}

/** @throws Error in an operator's words */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${file} cannot be read: ${whyUnreadable(error, messageOf(error))}`);
  }
}

/** The folder that is meant: given, or that of the robot of this machine. */
export function auditFolder({ dir, config }: AuditFolderFlags): string {
  if (dir !== undefined) return dir;
  return validateConfig(loadConfig(config === undefined ? {} : { file: config }).config).observability.auditDir;
}

/**
 * Writes lines into a new file of its owner, or prints them.
 *
 * @throws CliError when there is such a file already, or it cannot be made
 */
export async function writeLines(
  output: string | undefined,
  terminal: Terminal,
  write: (print: (line: string) => void) => Promise<void>,
): Promise<void> {
  if (output === undefined) return write((line) => terminal.print(line));
  let file: number;
  try {
    file = openSync(output, 'wx', 0o600);
  } catch (error) {
    throw new CliError(exitCodes.usage, `${output} cannot be written: ${messageOf(error)}`);
  }
  try {
    await write((line) => void writeSync(file, `${line}\n`));
  } finally {
    closeSync(file);
  }
}

async function filterOf(flags: FilterFlags, folder: string): Promise<AuditFilter> {
  const { type, severity, node, since, until, limit } = flags;
  const job = flags.job === undefined ? undefined : await findAuditedJob(folder, flags.job);
  return {
    ...(type === undefined ? {} : { eventTypes: type }),
    ...(severity === undefined ? {} : { severity }),
    ...(job === undefined ? {} : { jobId: job }),
    ...(node === undefined ? {} : { nodeId: node }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(limit === undefined ? {} : { limit }),
  };
}

function rowOf(format: FilterFlags['format']): (entry: AuditEntry) => string {
  switch (format) {
    case 'jsonl':
      return (entry) => JSON.stringify(entry);
    case 'csv':
      return csvRow;
    case 'text':
      return textRow;
  }
}

function textRow({ seq, at, severity, type, message, job_id, node_id, actor }: AuditEntry): string {
  const who = actor === 'robot' ? [] : [`by ${actor}`];
  const where = [...who, ...[job_id, node_id].filter((id) => id !== null)].join(' ');
  const line = `${seq}  ${at}  ${severity.padEnd(8)}  ${type}  ${message}${where === '' ? '' : `  (${where})`}`;
  return escapeControl(line);
}

function verificationLines(folder: string, verification: AuditVerification): string[] {
  const { ok, findings, findingCount, head, anchors, removed, earlier, trust, unsigned } = verification;
  const facts = factLines([
    ['folder', folder],
    ['entries', `${verification.entries} in ${verification.segments} segment(s)`],
    ['last entry', head === null ? null : `${head.seq}, hash ${head.hash}`],
    ['removed', removed === null ? null : `${removed.entries} entries up to ${removed.lastSeq}, by retention`],
    [
      'earlier',
      earlier.files === 0
        ? null
        : `${earlier.files} file(s) with ${earlier.entries} lines from before the chain, which does not cover them`,
    ],
    [
      'torn',
      verification.torn === 0 ? null : `${verification.torn} place(s) where a crash cut a line, admitted by the log`,
    ],
    ['signed', signedText(verification)],
    ['not signed', unsigned === 0 ? null : `the last ${unsigned} entries, as yet`],
    ['adopted', adoptedText(verification)],
    [
      'anchors',
      anchors.given === 0
        ? 'none given: what is missing at the end, or was written anew with the key, cannot be seen'
        : `${anchors.matched} of ${anchors.given} are as they were${anchors.unchecked === 0 ? '' : `, ${anchors.unchecked} lie in what was removed`}; up to entry ${anchors.upToSeq}: what is missing at the end behind it cannot be seen`,
    ],
    ['keys', trust === 'none' ? null : verification.keyIds.join(', ')],
  ]);
  const notes = verification.notes.map(({ file, what }) => escapeControl(`note: ${file}: ${what}`));
  const noted = notes.length === 0 ? [] : ['', ...notes];
  if (ok) return [...facts, ...noted, '', 'ok'];
  const listed = findings.slice(0, 20).map((finding) => {
    const { seq, what } = finding;
    return escapeControl(`  ${placeOf(finding)}${seq === null ? '' : `, entry ${seq}`}: ${what}`);
  });
  const more = findingCount > listed.length ? [`  ... and ${findingCount - listed.length} more`] : [];
  return [...facts, ...noted, '', 'NOT OK, first bad place first:', ...listed, ...more];
}

const shownAdoptions = 5;

/** Entries that nobody had signed when a robot took up the log: after a crash its own last ones, or somebody else's. */
function adoptedText({ adopted }: AuditVerification): string | null {
  if (adopted.length === 0) return null;
  const ranges = adopted
    .slice(-shownAdoptions)
    .map(
      ({ fromSeq, toSeq, seq, isAfterClose }) =>
        `${fromSeq === toSeq ? fromSeq : `${fromSeq}-${toSeq}`} (by entry ${seq}, ${isAfterClose ? 'behind a clean close' : 'no clean close before'})`,
    );
  const more = adopted.length > ranges.length ? `${adopted.length} times, the last: ` : '';
  return `${more}${ranges.join(', ')}; not signed when written`;
}

function signedText({ trust, signedUpTo, checkpoints }: AuditVerification): string {
  if (trust === 'none') return 'no';
  const whose =
    trust === 'pinned'
      ? 'by the keys that were given'
      : "by the folder's own keys: give --public-key or --anchor to know whose";
  return `up to entry ${signedUpTo ?? 0}, ${checkpoints} checkpoint(s), ${whose}`;
}
