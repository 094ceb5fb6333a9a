/**
 * What a home knows of the instances that the robot was: `instance.json`. It is what proves to the server that this start
 * is the successor of the last one, so it is written before the server is asked, and again when it has answered.
 */
import { join } from 'node:path';
import { HomeError, readJson, writeJsonDurably } from '../home-folder.ts';
import { uuidPattern } from '../identity.ts';

export interface InstanceNotes {
  /** The instance that the server has accepted last; null when none was. */
  readonly accepted: string | null;
  /** Those that it was asked about since, and may have accepted: the answer was lost. */
  readonly tried: readonly string[];
  /** Where the home was when one was accepted; null when none was. */
  readonly machine: string | null;
  /** See `Distrust`; null: nothing of it may be under way elsewhere. */
  readonly distrust: Distrust | null;
}

/** The robot may have worked elsewhere beside this home, and may yet: what was claimed before is not to go on from here. */
export interface Distrust {
  readonly why: string;
  /** The greatest lease token in the store then. */
  readonly upToToken: string;
}

/** Lost answers that are remembered; a robot that gets none for so many starts waits for the former instance's silence. */
const maxTried = 20;

/** A file that cannot be read says nothing: the former instance's silence is waited for. */
export async function readInstanceNotes(home: string): Promise<InstanceNotes> {
  const found = await readJson(pathIn(home)).catch((error: unknown) => {
    if (error instanceof HomeError) return undefined;
    throw error;
  });
  const { accepted, tried, machine, distrust } = (found ?? {}) as Record<string, unknown>;
  return {
    accepted: isId(accepted) ? accepted : null,
    tried: Array.isArray(tried) ? tried.filter(isId) : [],
    machine: typeof machine === 'string' ? machine : null,
    distrust: isDistrust(distrust) ? distrust : null,
  };
}

export function writeInstanceNotes(home: string, notes: InstanceNotes): Promise<void> {
  return writeJsonDurably(pathIn(home), { ...notes, tried: notes.tried.slice(-maxTried) });
}

function pathIn(home: string): string {
  return join(home, 'instance.json');
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && uuidPattern.test(value);
}

function isDistrust(value: unknown): value is Distrust {
  const { why, upToToken } = (value ?? {}) as Record<string, unknown>;
  return typeof why === 'string' && typeof upToToken === 'string' && /^\d+$/.test(upToToken);
}
