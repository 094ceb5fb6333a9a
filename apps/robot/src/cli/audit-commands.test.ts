import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditEventType, AuditLogger } from '@casare/observability';
import { expect, it, onTestFinished } from 'vitest';
import { exportAudit, queryAudit, verifyAudit } from './audit-commands.ts';
import type { Terminal } from './terminal.ts';

it('what stands in the place of a segment is told by every command, and an export that is not whole has failed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'casare-audit-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const audit = new AuditLogger({ robotId: 'r', logDir: dir });
  audit.log(AuditEventType.ROBOT_STARTED, 'Robot started');
  audit.close();
  const printed: string[] = [];
  const terminal: Terminal = {
    print: (line) => printed.push(line),
    note: (line) => printed.push(line),
    status: () => undefined,
    isInteractive: false,
  };
  expect(await queryAudit({ dir: join(dir, 'elsewhere'), format: 'text' }, terminal)).toBe(1);
  expect(await queryAudit({ dir, format: 'text', node: 'none' }, terminal)).toBe(0);
  expect(printed).toEqual([`casare-robot: there is no audit log in ${join(dir, 'elsewhere')} yet`, 'no entry matches']);

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
