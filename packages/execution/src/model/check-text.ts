/** Refuses texts that no database column can hold, before anything is enqueued or run. */
import type { JsonValue } from '../json.ts';
import type { Draft } from './draft.ts';
import { type FindingList, quoted } from './finding.ts';
import { pathToNul, visible } from './nul-character.ts';

export function checkText({ nodes, variables, metadata }: Draft, findings: FindingList): void {
  for (const { id, config } of nodes.values()) {
    if (id.includes('\u0000')) report(`The node id ${quoted(visible(id))}`, id, 'node_id', findings);
    for (const [key, value] of Object.entries(config)) {
      const path = pathOf(key, value);
      if (path !== null) report(`Node ${quoted(visible(id))}: ${quoted(path)}`, id, path, findings);
    }
  }
  for (const [name, value] of Object.entries(variables)) {
    const path = pathOf(name, value);
    if (path !== null) report(`The variable ${quoted(path)}`, null, `variables.${path}`, findings);
  }
  const path = pathOf('metadata', metadata);
  if (path !== null) report(quoted(path), null, path, findings);
}

function pathOf(key: string, value: JsonValue): string | null {
  const path = key.includes('\u0000') ? [] : pathToNul(value);
  return path === null ? null : [visible(key), ...path].join('.');
}

function report(what: string, node: string | null, field: string, findings: FindingList): void {
  findings.error('INVALID_TEXT', `${what} holds the character U+0000, which the database cannot store.`, {
    node,
    field,
    suggestion: 'Take the character (written \\u0000 in JSON) out.',
  });
}
