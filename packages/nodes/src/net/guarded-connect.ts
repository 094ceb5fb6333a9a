/**
 * Connections that keep to the operator's network permissions. The address is checked after the name is resolved
 * and before the connection is made, and the connection goes to the very address that was checked: neither a redirect
 * nor a name that changes its address between two look-ups gets past it.
 */
import { lookup as systemLookup } from 'node:dns';
import { buildConnector } from 'undici';
import { type Access, guardedLookup, refusalOf } from './guarded-lookup.ts';

type ConnectOptions = NonNullable<Parameters<typeof buildConnector>[0]>;

/**
 * Undici's connector with the check in it. A refusal is the error of the connection.
 *
 * @param lookup default: the system's
 */
export function guardedConnector(
  access: Access,
  options: ConnectOptions,
  lookup: typeof systemLookup = systemLookup,
): ReturnType<typeof buildConnector> {
  if (access.isNetworkOpen) return buildConnector(options);
  return (target, done) => {
    const port = Number(target.port) || (target.protocol === 'https:' ? 443 : 80);
    const refusal = refusalOf(() => access.requireNetwork({ host: target.hostname, port }));
    if (refusal !== null) return done(refusal, null);
    const connect = buildConnector({ ...options, lookup: guardedLookup(access, port, lookup) } as ConnectOptions);
    return connect(target, done);
  };
}
