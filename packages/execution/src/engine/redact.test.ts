import { expect, it } from 'vitest';
import { redacted, redactedReport } from './redact.ts';

const redact = (text: string): string => text.replaceAll('o', '*');

it('leaves the words of the engine as they are, though a secret is a part of them', () => {
  const line = { level: 'info', node_id: 'log', message: 'to', fields: { level: 'so', go: 1 } };
  expect(redactedReport(line, redact)).toEqual({
    level: 'info',
    node_id: 'log',
    message: 't*',
    fields: { level: 's*', 'g*': 1 },
  });
});

it('takes secrets out of all that a report tells of values', () => {
  const report = {
    end: { status: 'failed', error: { code: 'NO', message: 'no', node_id: 'o', details: { status: 'o' } } },
    variables: { who: ['o'] },
    outputs: { node: { code: 'o' } },
    skipped: ['o'],
    errors: [{ code: 'NO', message: 'no' }],
  };
  expect(redactedReport(report, redact)).toEqual({
    end: { status: 'failed', error: { code: 'NO', message: 'n*', node_id: 'o', details: { status: '*' } } },
    variables: { 'wh*': ['*'] },
    outputs: { 'n*de': { 'c*de': '*' } },
    skipped: ['o'],
    errors: [{ code: 'NO', message: 'n*' }],
  });
});

it('changes nothing without a redactor', () => {
  const value = { message: 'o' };
  expect(redactedReport(value, undefined)).toBe(value);
  expect(redacted(value, undefined)).toBe(value);
});
