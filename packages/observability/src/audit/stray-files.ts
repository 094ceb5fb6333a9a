/** What stands in an audit folder and is no part of the log: it is not read, so whoever verifies is told of it. */
import { readdirSync } from 'node:fs';
import { knownName } from './audit-files.ts';

export interface AuditNote {
  /** Name of the file. */
  readonly file: string;
  readonly what: string;
}

const mostNotes = 100;

export function strayFiles(folder: string): readonly AuditNote[] {
  const names = readdirSync(folder).sort();
  const all = new Set(names);
  return names
    .flatMap((file): AuditNote[] => {
      if (file.endsWith('.gz') && all.has(file.slice(0, -3)) && knownName(file) === 'segment')
        return [{ file, what: 'the same file is there uncompressed, too, and that one counts' }];
      switch (knownName(file)) {
        case null:
          return [{ file, what: 'this is no file of the log, and was not looked into' }];
        case 'draft':
          return [{ file, what: 'this is left of writing another file, and was not looked into' }];
        default:
          return [];
      }
    })
    .slice(0, mostNotes);
}
