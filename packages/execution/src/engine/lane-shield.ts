/** What a stop means for a lane: whom it comes from, and whether a finally body keeps it off for a while. */
import type { Lane } from './run-state.ts';

/** True while a finally body of this lane itself is under way, or its node is next. */
export function isInFinally(lane: Lane): boolean {
  return lane.frames.some((frame) => frame.kind === 'try' && frame.phase === 'finally');
}

/** The outermost lane that was told to stop together with this one, or around it; null when none was. */
export function stoppedLane(lane: Lane): Lane | null {
  let at: Lane | null = lane;
  while (at !== null && at.stop === null) at = at.parent;
  while (at?.parent !== null && at?.parent !== undefined && at.parent.stop !== null) at = at.parent;
  return at;
}

/** True where a stop lets the lane come to its end within the grace: in a finally body inside of what is stopped. */
export function isShielded(lane: Lane): boolean {
  const outermost = stoppedLane(lane);
  for (let at: Lane | null = lane; at !== null; at = at.parent) {
    if (isInFinally(at)) return true;
    if (at === outermost) return false;
  }
  return false;
}

/** Why a node of the lane has to stop at once, as far as lanes are concerned; null when nothing asks for it. */
export function laneStop(lane: Lane): { readonly kind: 'lane' } | null {
  return stoppedLane(lane) !== null && !isShielded(lane) ? LANE_STOP : null;
}

const LANE_STOP = { kind: 'lane' } as const;
