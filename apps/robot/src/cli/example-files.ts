/** Where the example workflows are: beside an installed package, or in the checkout. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folders = ['../examples/', '../../../../examples/'].map((path) => fileURLToPath(new URL(path, import.meta.url)));

export function examplePath(name: string): string {
  const folder = folders.find((candidate) => existsSync(candidate));
  if (folder === undefined) throw new Error('the example workflows are missing from this installation');
  return `${folder}${name}`;
}
