/**
 * The audit log: how fast a log is verified, against reading and hashing the same bytes with nothing else; and what an
 * entry costs the robot, durable (synced before `log` returns) and not, against bare appends of as many bytes.
 *
 * `AUDIT_BENCH_DIR` names the folder, for another disk. Sides take turns.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditEventType, AuditLogger, verifyAuditLog } from '../packages/observability/src/index.ts';
import { printSettings } from './settings.ts';

const entries = 600_000;
const rounds = 5;
const folder = mkdtempSync(join(process.env.AUDIT_BENCH_DIR ?? tmpdir(), 'casare-audit-bench-'));
const details = { nodeType: 'ClickNode', durationMs: 150 };

try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const logDir = join(folder, 'audit');
  const audit = new AuditLogger({ robotId: 'bench', logDir, keyDir: join(folder, 'keys'), compress: false });
  const log = (): void => {
    audit.log(AuditEventType.NODE_COMPLETED, 'ClickNode completed', {
      jobId: '0f8fad5b-d9cb-469f-a165-70867728950e',
      nodeId: 'node-17',
      details,
    });
  };
  for (let entry = 0; entry < entries; entry += 1) log();
  const files = readdirSync(logDir).filter((name) => name.endsWith('.jsonl'));
  const bytes = files.reduce((sum, name) => sum + statSync(join(logDir, name)).size, 0);
  const entryBytes = Math.round(bytes / entries);
  printSettings({
    folder,
    entries,
    'bytes per entry': entryBytes,
    segments: files.length,
    'checkpoint every': 1_000,
    'durable entries': 'fdatasync before log returns',
    'other entries': 'one write, no sync',
  });

  const verified: number[] = [];
  const verifiedCpu: number[] = [];
  const hashed: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const cpuBefore = process.cpuUsage();
    verified.push(
      await timed(async () => {
        const { ok, entries: found } = await verifyAuditLog(logDir);
        if (!ok || found !== entries) throw new Error('the log does not verify');
      }),
    );
    const { user, system } = process.cpuUsage(cpuBefore);
    verifiedCpu.push((user + system) / 1_000);
    hashed.push(
      await timed(async () => {
        const digest = createHash('sha256');
        for (const name of files) digest.update(readFileSync(join(logDir, name)));
        digest.digest();
      }),
    );
  }
  const rate = (ms: number): string => `${Math.round((entries / ms) * 1_000).toLocaleString('en')} entries/s`;
  const [verifyMs, hashMs] = [median(verified), median(hashed)];
  console.log(`verify, chain and signatures:   ${rate(verifyMs)} (aim: over 300,000)`);
  console.log(
    `  per second of CPU time:       ${rate(median(verifiedCpu))} (of one core, whatever else the machine does)`,
  );
  console.log(`read and hash the bytes alone:  ${rate(hashMs)}   ${(verifyMs / hashMs).toFixed(2)} x the time`);

  const bare = openSync(join(folder, 'bare'), 'a');
  const line = Buffer.alloc(entryBytes, 'x');
  const durable = { durable: true, jobId: 'job', details };
  const sides = {
    'bare write': [20_000, () => void writeSync(bare, line)],
    'log, not durable': [20_000, log],
    'bare write and fdatasync': [
      300,
      () => {
        writeSync(bare, line);
        fdatasyncSync(bare);
      },
    ],
    'log, durable': [300, () => void audit.log(AuditEventType.JOB_STARTED, 'Job started', durable)],
  } as const satisfies Readonly<Record<string, readonly [number, () => void]>>;
  const costs = new Map<string, number[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, [count, run]] of Object.entries(sides)) {
      const ms = await timed(async () => {
        for (let index = 0; index < count; index += 1) run();
      });
      costs.set(name, [...(costs.get(name) ?? []), (ms * 1_000) / count]);
    }
  }
  const cost = (name: keyof typeof sides): number => median(costs.get(name) ?? []);
  const tell = (name: keyof typeof sides, bareName: keyof typeof sides): void =>
    console.log(
      `${`${name}:`.padEnd(32)}${cost(name).toFixed(1)} us   ${(cost(name) / cost(bareName)).toFixed(2)} x the bare time`,
    );
  tell('bare write', 'bare write');
  tell('log, not durable', 'bare write');
  tell('bare write and fdatasync', 'bare write and fdatasync');
  tell('log, durable', 'bare write and fdatasync');
  closeSync(bare);
  audit.close();
}

async function timed(run: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await run();
  return performance.now() - startedAt;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
