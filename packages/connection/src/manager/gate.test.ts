import { expect, test } from 'vitest';
import { Gate } from './gate.ts';

test('a gate lets through or turns away whoever waits, and forgets who has left', async () => {
  const gate = new Gate();
  const caller = new AbortController();
  const left = gate.wait(caller.signal);
  const stayed = gate.wait(undefined);
  expect(gate.size).toBe(2);
  caller.abort('enough');
  await expect(left).rejects.toBe('enough');
  expect(gate.size).toBe(1);
  gate.open();
  await stayed;
  expect(gate.size).toBe(0);
  const late = gate.wait(undefined);
  gate.fail(new Error('gone'));
  await expect(late).rejects.toThrow('gone');
  await expect(gate.wait(caller.signal)).rejects.toBe('enough');
  expect(gate.size).toBe(0);
});
