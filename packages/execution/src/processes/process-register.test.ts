import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ProcessRegister } from './process-register.ts';

it('a disk that refuses the register neither throws nor is told twice, and the next change makes up for it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'casare-register-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'job-processes.json');
  const told: unknown[] = [];
  const register = new ProcessRegister({ path, bootId: 'b', mark: 'm', onError: (error) => told.push(error) });
  const pids = () => JSON.parse(readFileSync(path, 'utf8')).processes.map(({ pid }: { pid: number }) => pid);
  const one = { pid: 1, startTicks: 1 };
  const two = { pid: 2, startTicks: 2 };
  register.add([one]);
  mkdirSync(`${path}.tmp`);
  register.add([two]);
  register.remove([one]);
  expect([pids(), told.length]).toEqual([[1], 1]);
  rmdirSync(`${path}.tmp`);
  register.add([two]);
  expect(pids()).toEqual([2]);
});
