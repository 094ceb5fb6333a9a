/** Who works on the command line, as the audit log names them. */
import { hostname, userInfo } from 'node:os';

/** Under which account the person works; null where it has no name. */
export function account(): string | null {
  try {
    return userInfo().username.slice(0, 100);
  } catch {
    return null;
  }
}

/** `ann@desk` as the value of a header: a JSON text, in which ASCII stands for every character. */
export function callerClaim(): string {
  const claim = JSON.stringify(`${account() ?? 'unknown'}@${hostname()}`);
  return claim.replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
