/** Who asked a robot for something, and through what: for the audit log. */
import { ArgumentError, type JsonObject } from '@casare/execution';

export interface Requester {
  /** The person or program. Default: nobody is named. */
  readonly requestedBy?: string | null;
  /** Where the request came from: an address, the control socket, a signal. Default: it is not said. */
  readonly requestedFrom?: string | null;
}

const longestName = 100;

/** @throws ArgumentError for what is no name */
export function requireRequester({ requestedBy = null, requestedFrom = null }: Requester): void {
  for (const [name, value] of Object.entries({ requestedBy, requestedFrom })) {
    if (value === null || (typeof value === 'string' && value.length <= longestName)) continue;
    throw new ArgumentError(name, `a text of at most ${longestName} characters`, value);
  }
}

/** The caller says who it is; that it is on this machine, under the robot's account, is what the socket shows. */
export function requesterIn({ requested_by: by = null }: JsonObject): Requester {
  const requester = { requestedBy: by as string | null, requestedFrom: 'control socket' };
  requireRequester(requester);
  return requester;
}

/** As an audit entry names them: whoever is known, else the place. */
export function actorOf({ requestedBy = null, requestedFrom = null }: Requester): {
  readonly actor?: string;
  readonly requested_from?: string;
} {
  const actor = requestedBy ?? requestedFrom;
  return {
    ...(actor === null ? {} : { actor }),
    ...(requestedFrom === null ? {} : { requested_from: requestedFrom }),
  };
}
