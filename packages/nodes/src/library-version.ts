import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

/** The version of this package, which a robot records with each job. */
export const libraryVersion: string = manifest.version;
