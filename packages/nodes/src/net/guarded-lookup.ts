/** Names and addresses that keep to the operator's network permissions; see `guardedConnector`. */
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { NodeContext } from '../ports.ts';

export type Access = Pick<NodeContext['access'], 'isNetworkOpen' | 'requireNetwork'>;

/** A `lookup` for `net.connect` and its like that hands on allowed addresses only. */
export function guardedLookup(
  access: Access,
  port: number,
  lookup: typeof systemLookup = systemLookup,
): LookupFunction {
  return (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return done(error, '');
      const refusal = firstRefusal(access, host, port, found);
      if (refusal !== null) return done(refusal, '');
      if (options.all === true) return done(null, found);
      const [first] = found;
      return first === undefined ? done(notFound(host), '') : done(null, first.address, first.family);
    });
  };
}

/** One forbidden address among the answers is enough: which one would be used is not for the name server to choose. */
function firstRefusal(access: Access, host: string, port: number, found: readonly LookupAddress[]): Error | null {
  for (const { address } of found) {
    const refusal = refusalOf(() => access.requireNetwork({ host, port, address }));
    if (refusal !== null) return refusal;
  }
  return null;
}

/** Resolves a host and asks for every address of it; for what connects by itself, such as a browser. */
export async function requireHost(access: Access, host: string, port: number): Promise<void> {
  if (access.isNetworkOpen) return;
  access.requireNetwork({ host, port });
  const name = host.replace(/^\[|\]$/g, '');
  if (isIP(name) !== 0) return;
  const found = await new Promise<readonly LookupAddress[]>((resolve) => {
    systemLookup(name, { all: true }, (error, addresses) => resolve(error === null ? addresses : []));
  });
  for (const { address } of found) access.requireNetwork({ host, port, address });
}

/** Null when it is allowed. */
export function refusalOf(check: () => void): Error | null {
  try {
    check();
    return null;
  } catch (error) {
    return error as Error;
  }
}

function notFound(host: string): Error {
  return Object.assign(new Error(`${host} has no address`), { code: 'ENOTFOUND' });
}
