/**
 * Which nodes call another workflow, and how its name is looked up among those that a file carries
 * (`subworkflows`). Files name a sub-workflow by its path, relative to the folder of the file that names it, or by an
 * id, which stands for `<id>.json` there or in its folder `subflows`.
 */
import { posix } from 'node:path';
import type { JsonObject } from '../json.ts';

/** The types that call, with the config keys that may name what they call; the first that is set counts. */
export const callKeys: ReadonlyMap<string, readonly string[]> = new Map([
  ['SubflowNode', ['subflow_path', 'subflow_id']],
  ['ExecuteWorkflowNode', ['workflow_path']],
  ['CallSubworkflowNode', ['subworkflow_id']],
]);

export interface CalledName {
  /** The config key that names it. */
  readonly key: string;
  readonly name: string;
}

/** What a node calls; undefined when it calls nothing, or says nothing. */
export function calledName(typeName: string, config: JsonObject): CalledName | undefined {
  for (const key of callKeys.get(typeName) ?? []) {
    const name = config[key];
    if (typeof name === 'string' && name.trim() !== '') return { key, name: name.trim() };
    if (typeof name === 'number') return { key, name: String(name) };
  }
  return undefined;
}

/**
 * The paths that a name may mean, likeliest first, relative to the folder of the outermost file.
 *
 * @param owner path of the file that holds the name; '' for the outermost
 * @example
 * pathsOf('login.json', 'lib/main.json'); // ['lib/login.json', 'lib/subflows/login.json']
 */
export function pathsOf(name: string, owner: string): readonly string[] {
  const plain = name.replaceAll('\\', '/');
  const names = plain.endsWith('.json') ? [plain] : [`${plain}.json`, plain];
  const folder = posix.dirname(owner);
  const within = (place: string): string =>
    posix.isAbsolute(place) ? posix.normalize(place) : posix.join(folder, place);
  const beside = names.map(within);
  return posix.isAbsolute(plain) || plain.includes('/')
    ? beside
    : [...beside, ...names.map((file) => within(`subflows/${file}`))];
}

/** The key of `library` that a name means; undefined when there is none. */
export function keyIn(library: JsonObject, name: string, owner: string): string | undefined {
  return [...pathsOf(name, owner), name].find((key) => Object.hasOwn(library, key));
}
