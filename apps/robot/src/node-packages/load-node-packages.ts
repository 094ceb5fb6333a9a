/**
 * Loads the node packages that the configuration names. A package exports its node types as `nodes` (or as its
 * default export): see docs/writing-nodes.md.
 */
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkNodeType, type NodeType, nodeContractVersion } from '@casare/execution';
import { messageOf } from '../message-of.ts';
import { type FoundPackage, findPackage, type SearchPlaces } from './find-package.ts';
import { NodePackageError } from './package-error.ts';

export interface NodePackage {
  readonly name: string;
  readonly version: string;
  readonly types: readonly NodeType[];
}

/**
 * @param known names that are taken already, with who has them
 * @throws NodePackageError that names the package and the remedy
 */
export async function loadNodePackages(
  specifiers: readonly string[],
  places: SearchPlaces,
  known: ReadonlyMap<string, string>,
): Promise<readonly NodePackage[]> {
  const taken = new Map(known);
  const packages: NodePackage[] = [];
  for (const specifier of new Set(specifiers)) {
    const found = findPackage(specifier, places);
    const types = await typesOf(specifier, found);
    for (const { type, aliases = [] } of types) {
      for (const name of [type, ...aliases]) {
        const owner = taken.get(name);
        if (owner !== undefined) {
          throw new NodePackageError(
            specifier,
            `has a node type "${name}", and so has ${owner}: rename it, or remove one of the two from nodes.packages`,
          );
        }
        taken.set(name, `the node package "${specifier}"`);
      }
    }
    packages.push({ name: found.name, version: found.version, types });
  }
  return packages;
}

async function typesOf(specifier: string, found: FoundPackage): Promise<readonly NodeType[]> {
  checkContract(specifier, found.manifest?.casare?.nodeContract);
  const module = await importModule(specifier, found.entry);
  checkContract(specifier, module.nodeContract);
  const types = [module.nodes, module.default].find(Array.isArray) as readonly unknown[] | undefined;
  if (types === undefined) {
    throw new NodePackageError(
      specifier,
      `exports no list of node types: ${found.entry} must export \`nodes\`, an array (see docs/writing-nodes.md)`,
    );
  }
  const problems = types.flatMap((type) => checkNodeType(type));
  if (problems.length > 0) {
    const shown = problems.slice(0, 5).join('; ');
    throw new NodePackageError(specifier, `does not keep to the node contract: ${shown}`);
  }
  return types as readonly NodeType[];
}

async function importModule(specifier: string, entry: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(entry).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    const remedy = missingPackage(error, entry);
    throw new NodePackageError(specifier, `could not be loaded from ${entry}: ${messageOf(error)}${remedy}`, error);
  }
}

/** What to do when the module imports a package that cannot be found from its place. */
function missingPackage(error: unknown, entry: string): string {
  if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') return '';
  const name = /Cannot find package '([^']+)'/.exec(messageOf(error))?.[1];
  return name === undefined ? '' : `; install it there: npm install --prefix ${dirname(entry)} ${name}`;
}

function checkContract(specifier: string, version: unknown): void {
  if (version === undefined || version === nodeContractVersion) return;
  throw new NodePackageError(
    specifier,
    `was built for version ${JSON.stringify(version)} of the node contract, and this robot has version ${nodeContractVersion}: install a version of the package that fits, or update the robot`,
  );
}
