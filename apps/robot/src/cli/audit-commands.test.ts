import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditEventType, AuditLogger, readAuditLog } from '@casare/observability';
import { expect, it, onTestFinished } from 'vitest';
import { exportAudit, queryAudit, verifyAudit } from './audit-commands.ts';
import type { Terminal } from './terminal.ts';

function screen(): { readonly printed: string[]; readonly terminal: Terminal } {
  const printed: string[] = [];
  const print = (line: string): void => void printed.push(line);
  return { printed, terminal: { print, note: print, status: () => undefined, isInteractive: false } };
}

it('what stands in the place of a segment is told by every command, and an export that is not whole has failed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'casare-audit-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const audit = new AuditLogger({ robotId: 'r', logDir: dir });
  audit.log(AuditEventType.ROBOT_STARTED, 'Robot started');
  audit.log(AuditEventType.ROBOT_STOPPED, 'Robot stopped');
  audit.close();
  const { printed, terminal } = screen();
  expect(await queryAudit({ dir: join(dir, 'elsewhere'), format: 'text' }, terminal)).toBe(1);
  expect(await queryAudit({ dir, format: 'text', node: 'none' }, terminal)).toBe(0);
  expect(printed).toEqual([`casare-robot: there is no audit log in ${join(dir, 'elsewhere')} yet`, 'no entry matches']);

  const all = (await readAuditLog(dir)).entries.length;
  for (const [limit, lines, last] of [
    [all, all, 'Robot'],
    [all - 1, all, `the last ${all - 1} of these; --limit N for more`],
  ] as const) {
    printed.length = 0;
    expect(await queryAudit({ dir, format: 'text', limit }, terminal)).toBe(0);
    expect([printed.length, printed.at(-1)]).toEqual([lines, expect.stringContaining(last)]);
  }
  const anchor = join(dir, 'nope');
  await expect(verifyAudit({ dir, anchor, json: false }, terminal)).rejects.toMatchObject({
    exitCode: 2,
    message: `${anchor} cannot be read: there is no such file`,
  });

  mkdirSync(join(dir, 'audit-2099-01-01-000002.jsonl'));
  expect(await queryAudit({ dir, format: 'text' }, terminal)).toBe(0);
  expect(printed.at(-1)).toMatch(/^1 damaged line.*audit-2099-01-01-000002/);
  expect(await verifyAudit({ dir, json: false }, terminal)).toBe(1);
  expect(printed.at(-1)).toMatch(/audit-2099-01-01-000002.*no regular file/);
  printed.length = 0;
  await expect(exportAudit({ dir, format: 'jsonl' }, terminal)).rejects.toMatchObject({
    exitCode: 1,
    message: expect.stringMatching(/^the export is not whole: .*audit-2099-01-01-000002/),
  });
  expect(printed.some((line) => line.includes('Robot started'))).toBe(true);
});

it('the beginning of an id means the job, not a refused answer that named no more of it', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'casare-audit-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const audit = new AuditLogger({ robotId: 'r', logDir: dir });
  const refused = { answer: 'skip', actor: 'ann', problem: 'no such job' };
  for (const jobId of ['f00b', 'abcd']) audit.jobAnswerGiven({ jobId, ...refused });
  for (const jobId of ['f00b-1', 'abcd-1', 'abcd-2']) audit.jobReleased({ jobId, reason: `of ${jobId}` });
  audit.jobAnswerGiven({ jobId: 'beef', ...refused });
  audit.close();
  const { printed, terminal } = screen();
  expect(await queryAudit({ dir, format: 'text', job: 'f00b' }, terminal)).toBe(0);
  expect(printed.join()).toContain('of f00b-1');
  await expect(queryAudit({ dir, format: 'text', job: 'abcd' }, terminal)).rejects.toMatchObject({
    message: expect.stringMatching(/several jobs begin with abcd.*\n {2}abcd-1\n {2}abcd-2$/),
  });
  expect(await queryAudit({ dir, format: 'text', job: 'beef' }, terminal)).toBe(0);
  expect(printed.at(-1)).toContain('no such job');
});

it('verify tells of stray files and of entries that nobody signed, and takes damage for a finding', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'casare-audit-'));
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  const dir = join(parent, 'audit');
  const open = (): AuditLogger => new AuditLogger({ robotId: 'r', logDir: dir, keyDir: join(parent, 'keys') });
  const crashed = open();
  crashed.log(AuditEventType.NODE_STARTED, 'one');
  const copy = join(parent, 'copy');
  cpSync(dir, copy, { recursive: true });
  crashed.close();
  const audit = new AuditLogger({ robotId: 'r', logDir: copy, keyDir: join(parent, 'keys') });
  audit.log(AuditEventType.NODE_STARTED, 'two');
  audit.close();

  const { printed, terminal } = screen();
  writeFileSync(join(copy, 'old.zip'), '');
  expect(await verifyAudit({ dir: copy, json: false }, terminal)).toBe(0);
  expect(printed).toContainEqual(expect.stringMatching(/^adopted +1 \(by entry 2, no clean close before\)/));
  expect(printed.slice(-3)).toEqual(['note: old.zip: this is no file of the log, and was not looked into', '', 'ok']);

  symlinkSync(join(copy, 'nowhere'), join(copy, 'audit-2099-01-01-000002.jsonl'));
  expect(await verifyAudit({ dir: copy, json: false }, terminal)).toBe(1);
  expect(printed.at(-1)).toMatch(/audit-2099-01-01-000002.*symbolic link/);
  expect(await queryAudit({ dir: copy, format: 'text' }, terminal)).toBe(0);
  expect(printed.at(-1)).toMatch(/^1 damaged line.*audit-2099-01-01-000002/);
  await expect(exportAudit({ dir: copy, format: 'jsonl' }, terminal)).rejects.toMatchObject({ exitCode: 1 });
  for (const name of ['audit-keys.json', 'audit-tombstone.json']) {
    writeFileSync(join(copy, name), '{');
    expect(await verifyAudit({ dir: copy, json: true }, terminal)).toBe(1);
    expect(JSON.parse(printed.at(-1) ?? '').findings.map(({ file }: { file: string }) => file)).toContain(name);
  }
});
