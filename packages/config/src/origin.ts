/** Where the value of a setting came from. */
import { invalidConfig } from './errors.ts';

export type Origin =
  | { readonly source: 'default' }
  | { readonly source: 'file'; readonly file: string }
  | { readonly source: 'environment'; readonly variable: string }
  | { readonly source: 'flag' }
  | { readonly source: 'code' };

/** The origin in words, as error messages and `config origin` show it. */
export function describeOrigin(origin: Origin): string {
  if (typeof origin !== 'object' || origin === null)
    throw invalidConfig([{ path: 'origin', source: 'code', message: 'must be what LoadedConfig.origin answers with' }]);
  switch (origin.source) {
    case 'default':
      return 'default';
    case 'file':
      return `file ${origin.file}`;
    case 'environment':
      return `environment variable ${origin.variable}`;
    case 'flag':
      return 'command line';
    case 'code':
      return 'set in code';
  }
}
