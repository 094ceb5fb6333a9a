/** `casare-robot audit anchors|rotate-key`: what an auditor keeps, and the key that it is checked with. */
import { join } from 'node:path';
import { loadConfig } from '@casare/config';
import type { JsonObject } from '@casare/execution';
import {
  type AnchorFile,
  addAuditKey,
  anchorFileText,
  parseAnchorFile,
  publicKeyPem,
  readFolderAnchors,
} from '@casare/observability';
import { robotIdOf } from '../identity.ts';
import { account } from './account.ts';
import { type AuditFolderFlags, auditFolder, writeLines } from './audit-commands.ts';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { type ConnectionFlags, withOperator } from './job-commands.ts';
import type { Terminal } from './terminal.ts';

interface AnchorFlags extends AuditFolderFlags, Omit<ConnectionFlags, 'json'> {
  readonly from: 'database' | 'folder';
  readonly robot?: string;
  readonly limit: number;
  readonly output?: string;
}

export async function exportAnchors(flags: AnchorFlags, terminal: Terminal): Promise<number> {
  const file = flags.from === 'folder' ? await fromFolder(flags) : await fromDatabase(flags);
  await writeLines(flags.output, terminal, async (print) => print(anchorFileText(file).trimEnd()));
  const last = file.anchors.at(-1);
  terminal.note(`${file.anchors.length} anchor(s) of robot ${file.robot_id}, up to entry ${last?.seq ?? 0}`);
  return exitCodes.ok;
}

export async function rotateKey(flags: AuditFolderFlags, terminal: Terminal): Promise<number> {
  const { config } = loadConfig(flags.config === undefined ? {} : { file: flags.config });
  const { keyId, publicKey } = addAuditKey(join(config.robot.home, 'keys'), account());
  terminal.print(publicKeyPem(publicKey).trimEnd());
  terminal.note(`audit key ${keyId}: the robot signs with it from its next start on, and the old key vouches for it`);
  return exitCodes.ok;
}

async function fromFolder(flags: AnchorFlags): Promise<AnchorFile> {
  const folder = auditFolder(flags);
  const { anchors, publicKeys } = await readFolderAnchors(folder, flags.limit);
  const last = anchors.at(-1);
  if (last === undefined) throw new CliError(exitCodes.failed, `there is no checkpoint in the audit log in ${folder}`);
  return anchorFile('folder', last.robot_id, anchors, publicKeys);
}

async function fromDatabase(flags: AnchorFlags): Promise<AnchorFile> {
  const { robotId, rows } = await withOperator(flags, async ({ rpc }, { robot }) => {
    const id = flags.robot ?? robot.id ?? (await idOfHome(robot.home));
    return { robotId: id, rows: await rpc('list_audit_anchors', { p_robot_id: id, p_limit: flags.limit }) };
  });
  const found = Array.isArray(rows) ? (rows as readonly JsonObject[]) : [];
  if (found.length === 0) {
    throw new CliError(
      exitCodes.failed,
      `the server has no anchor of robot ${robotId}; \`--from folder\` takes the log's own`,
    );
  }
  const publicKeys = new Set(found.flatMap(({ public_key: key }) => (typeof key === 'string' ? [key] : [])));
  const anchors = found.map(({ robot_id, segment, seq, hash, at, key_id, signature }) => ({
    ...{ robot_id, segment, seq, hash, at, key_id, signature },
  }));
  const file = anchorFile('database', robotId, anchors as unknown as AnchorFile['anchors'], [...publicKeys]);
  return parseAnchorFile(anchorFileText(file), 'the answer of the server');
}

async function idOfHome(home: string): Promise<string> {
  const id = await robotIdOf(home);
  if (id !== null) return id;
  throw new CliError(exitCodes.usage, `there is no robot in ${home}; name one with --robot`);
}

function anchorFile(
  source: AnchorFile['source'],
  robotId: string,
  anchors: AnchorFile['anchors'],
  publicKeys: readonly string[],
): AnchorFile {
  const exportedAt = new Date().toISOString();
  return { v: 1, robot_id: robotId, source, exported_at: exportedAt, anchors, public_keys: publicKeys };
}
