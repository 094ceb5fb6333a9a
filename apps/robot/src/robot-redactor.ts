/** Takes out of all that the robot writes its own keys, and what the configuration names by pattern (I8). */
import type { Settings } from '@casare/config';
import { SecretTexts } from '@casare/execution';
import { Redactor } from '@casare/observability';
import { secretsOf } from './compose-connection.ts';

export function robotRedactor(config: Pick<Settings, 'connection' | 'observability'>): Redactor {
  const own = new SecretTexts();
  for (const secret of secretsOf(config)) own.learn(secret);
  return new Redactor({
    values: secretsOf(config),
    rules: [(text) => own.redact(text)],
    patterns: config.observability.redactPatterns.map((pattern) => new RegExp(pattern, 'u')),
  });
}
