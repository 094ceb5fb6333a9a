import { describe, expect, it } from 'vitest';
import { runCommand } from './support/command.ts';

describe('casare-robot demo', () => {
  it('runs the examples through a robot that is killed meanwhile, and ends with a summary', {
    timeout: 150_000,
  }, async () => {
    const { exitCode, stdout, stderr } = await runCommand(['demo']);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^killed/m);
    expect(stdout).toMatch(/^orders +completed/m);
    expect(stdout).toMatch(/^failing +failed .*as intended/m);
    expect(stdout).toMatch(/^browser-form +completed|^skipped +"browser-form"/m);
    expect(stdout).toContain('lost nothing and repeated nothing');
    expect(exitCode).toBe(0);
  });
});
