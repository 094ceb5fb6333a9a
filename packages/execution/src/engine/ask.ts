/** How a question about a run comes from where it stands, and from what its journal says. */
import { ArgumentError, requireObject } from '../argument-error.ts';
import { type DoubtQuestion, nodeDecisions } from './doubt.ts';
import type { InDoubtEntry, IntentEntry, SnapshotEntry } from './journal.ts';
import { type Lane, laneMark, type RunState } from './run-state.ts';
import { restoreSnapshot } from './snapshot.ts';

/** The question about a node that was interrupted. */
export function questionOf(
  lane: Lane,
  { node_id, step, attempt }: Pick<IntentEntry, 'node_id' | 'step' | 'attempt'>,
  reason: string,
): DoubtQuestion & Pick<InDoubtEntry, 'step' | 'attempt'> {
  const place = placeOf(lane);
  return { node_id, step, attempt, reason, ...(place === null ? {} : { place }), answers: nodeDecisions };
}

/** The entry that asks a question about a lane's node; see `askedBy` for the way back. */
export function inDoubtEntry(
  lane: Lane,
  question: DoubtQuestion & Pick<InDoubtEntry, 'step' | 'attempt'>,
  at: number,
): InDoubtEntry {
  return { kind: 'in_doubt', ...laneMark(lane), ...question, at };
}

/**
 * The questions that were open when a snapshot was taken, by lane; the lane of the whole run is null.
 *
 * @throws ArgumentError
 */
export function questionsIn(entry: SnapshotEntry): ReadonlyMap<string | null, DoubtQuestion> {
  requireObject('entry', entry);
  requireObject('entry.state', entry.state);
  if (!Array.isArray(entry.state.errors) || !Array.isArray(entry.state.frames))
    throw new ArgumentError('entry', 'a snapshot of a journal', entry);
  return openQuestions(restoreSnapshot(entry.state));
}

function openQuestions(state: RunState): ReadonlyMap<string | null, DoubtQuestion> {
  const open = new Map<string | null, DoubtQuestion>();
  if (state.doubt !== null) open.set(null, state.doubt);
  for (const lane of state.lanes.values()) if (lane.doubt !== null) open.set(lane.id, lane.doubt);
  return open;
}

/** Places around a node that are named; the innermost ones. */
const maxPlaces = 8;

/** `branch 2 of fork, item 1 of each`: counted from one, as whoever answers counts; `current_index` counts from zero. */
function placeOf(lane: Lane): string | null {
  const places: string[] = [];
  for (let at: Lane | null = lane; at !== null; at = at.parent) {
    const loops = at.frames.flatMap((frame) =>
      frame.kind === 'loop' ? [`turn ${frame.index + 1} of ${frame.node}`] : [],
    );
    places.unshift(...loops);
    if (at.origin === null) continue;
    const { kind, index, node } = at.origin;
    places.unshift(kind === 'branch' ? `branch ${index + 1} of ${node}` : `item ${index + 1} of ${node}`);
  }
  return places.length === 0 ? null : places.slice(-maxPlaces).join(', ');
}
