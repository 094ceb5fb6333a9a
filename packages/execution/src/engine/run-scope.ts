/** What references mean at a point of a run: variables, outputs of executed nodes, system values, secrets. */
import type { JsonValue } from '../json.ts';
import { inlinedId } from '../model/inline.ts';
import { type Lookup, NOT_FOUND, type ReferenceScope } from '../model/reference-path.ts';
import { withSystemValues } from '../model/system-values.ts';
import type { Clock } from '../ports.ts';
import { outputsOf, scopedName, variableOf } from './lane-values.ts';
import type { Lane } from './run-state.ts';
import { refuseSkipped } from './skipped-outputs.ts';

const SECRET_PREFIX = '$secret:';

/** @param scope the sub-workflow whose names are meant; '': the file's own */
export function runScope(
  lane: Lane,
  scope: string,
  clock: Clock,
  secrets: ReadonlyMap<string, string>,
): ReferenceScope {
  return withSystemValues(
    {
      lookup(name) {
        const value = variableOf(lane, scopedName(scope, name));
        if (value !== undefined) return { found: true, value };
        if (name.startsWith(SECRET_PREFIX)) return found(secrets.get(name.slice(SECRET_PREFIX.length)));
        return lookupOutput(lane, scope, name);
      },
      refuse: (reference) => refuseSkipped(lane, scope, reference),
    },
    clock,
  );
}

function found(value: JsonValue | undefined): Lookup {
  return value === undefined ? NOT_FOUND : { found: true, value };
}

/** `node_id.port`; both may contain dots. */
function lookupOutput(lane: Lane, scope: string, name: string): Lookup {
  for (let dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1)) {
    const values = outputsOf(lane, inlinedId(scope, name.slice(0, dot)));
    const port = name.slice(dot + 1);
    if (values !== undefined && Object.hasOwn(values, port)) return found(values[port]);
  }
  return NOT_FOUND;
}
