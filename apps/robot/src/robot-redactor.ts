/** Takes out of all that the robot writes its own keys, and what the configuration names by pattern (I8). */
import type { ValidSettings } from '@casare/config';
import { SecretTexts } from '@casare/execution';
import { Redactor } from '@casare/observability';
import { secretsOf } from './compose-connection.ts';

export function robotRedactor(config: ValidSettings): Redactor {
  const own = new SecretTexts();
  for (const secret of secretsOf(config)) own.learn(secret);
  return new Redactor({
    rules: [(text) => own.redact(text)],
    patterns: config.observability.redactPatterns.map((pattern) => new RegExp(pattern, 'u')),
  });
}
