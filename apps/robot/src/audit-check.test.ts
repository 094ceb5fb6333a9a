import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@casare/execution';
import { AuditLogger } from '@casare/observability';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../test/support/robot-home.ts';
import { AuditCheck } from './audit-check.ts';

it('a robot that goes on with an audit log in which an entry was changed says which one', async () => {
  const home = temporaryFolder();
  const folder = join(home, 'audit');
  const open = (): AuditLogger => {
    const audit = new AuditLogger({ robotId: 'r-1', logDir: folder, keyDir: join(home, 'keys') });
    audit.open();
    onTestFinished(() => audit.close());
    return audit;
  };
  const told: string[] = [];
  const check = (audit: AuditLogger): AuditCheck =>
    new AuditCheck({
      audit,
      folder,
      logger: { log: (level, message) => void told.push(`${level}: ${message}`) },
      clock: systemClock,
    });

  const before = open();
  for (const reason of ['one', 'two', 'three']) before.robotStopped({ mode: 'finish', reason });
  const sound = check(before);
  await sound.run();
  expect([sound.problem, told]).toEqual([null, []]);
  before.close();

  const [name = ''] = readdirSync(folder).filter((file) => file.endsWith('.jsonl'));
  const file = join(folder, name);
  writeFileSync(file, readFileSync(file, 'utf8').replace('"two"', '"TWO"'));
  const after = open();
  const damaged = check(after);
  await damaged.run();
  expect(damaged.problem).toMatch(new RegExp(`^${name}:2: `));
  expect(told).toEqual([expect.stringMatching(/^critical: the audit log is not as it was written: .*audit verify/)]);
  expect(await after.getRecent(1)).toMatchObject([
    { type: 'audit.damaged', severity: 'critical', details: { file: name, seq: 2 } },
  ]);
});
