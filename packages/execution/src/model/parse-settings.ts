/** Reads the settings of a file: whether errors stop the run, the nodes' time limit, retries. */
import type { JsonObject, JsonValue } from '../json.ts';
import type { FindingList } from './finding.ts';
import { isJsonObject, kindOf } from './value-text.ts';
import type { WorkflowSettings } from './workflow.ts';

/** The designer writes this time limit into every file, so it says nothing. */
const DESIGNER_TIMEOUT_SECONDS = 30;

const DECIMAL = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;

export function parseSettings(source: JsonValue | undefined, findings: FindingList): WorkflowSettings {
  const settings = isJsonObject(source) ? source : {};
  if (source !== undefined && source !== null && !isJsonObject(source)) {
    findings.error('INVALID_STRUCTURE', `"settings" must be an object, but is ${kindOf(source)}.`, {
      field: 'settings',
    });
  }
  const timeout = number(settings, 'timeout', 'a number of seconds', findings);
  const retries = number(settings, 'retry_count', 'a whole number', findings) ?? 0;
  if (!Number.isInteger(retries)) complain(findings, 'retry_count', 'a whole number', String(retries));
  return {
    stopOnError: flag(settings, 'stop_on_error', findings) ?? true,
    nodeTimeoutSeconds: timeout === DESIGNER_TIMEOUT_SECONDS || timeout === 0 ? undefined : timeout,
    retryCount: Number.isInteger(retries) ? retries : 0,
  };
}

function flag(settings: JsonObject, key: string, findings: FindingList): boolean | undefined {
  const value = settings[key] ?? undefined;
  if (value === undefined || typeof value === 'boolean') return value;
  const word = String(typeof value === 'object' ? '' : value).toLowerCase();
  if (word === 'true' || word === 'false') return word === 'true';
  complain(findings, key, 'true or false', kindOf(value));
  return undefined;
}

function number(settings: JsonObject, key: string, what: string, findings: FindingList): number | undefined {
  const value = settings[key] ?? undefined;
  if (value === undefined || value === '') return undefined;
  const parsed = typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value;
  if (typeof parsed === 'number' && Number.isFinite(parsed) && parsed >= 0) return parsed;
  complain(findings, key, `${what}, 0 or more`, typeof value === 'number' ? String(value) : kindOf(value));
  return undefined;
}

function complain(findings: FindingList, key: string, what: string, found: string): void {
  findings.error('INVALID_SETTING', `The setting "${key}" must be ${what}, but is ${found}.`, {
    field: `settings.${key}`,
  });
}
