/** Who works on the command line, as the audit log names them. */
import { userInfo } from 'node:os';

/** Under which account the person works; null where it has no name. */
export function account(): string | null {
  try {
    return userInfo().username.slice(0, 100);
  } catch {
    return null;
  }
}
