/**
 * How long a token is good for, as pure functions. A life is a duration that starts when the token was asked for, on
 * the monotonic clock: what the machine's wall clock says plays no part where the issuer tells the duration itself.
 */

/** When to refresh: at this share of the life, or a little before. */
const REFRESH_AT = 0.8;

/** Robots that signed in together do not refresh together: earlier by up to this share. */
const REFRESH_SPREAD = 0.1;

/** No token is taken to live shorter, in ms: one that seems to be dead on arrival must not be replaced without end. */
const SHORTEST_LIFE_MS = 1_000;

/** A token is not used for its last moments, in ms: the request has to arrive, too. */
const LAST_MOMENTS_MS = 5_000;

export interface TokenLife {
  /** Ms after it was asked for; Infinity: never. */
  readonly refreshAfterMs: number;
  readonly unusableAfterMs: number;
}

/** @param statedMs null: for ever or not known. @param chance a number in [0, 1). */
export function tokenLife(statedMs: number | null, chance: number): TokenLife {
  if (statedMs === null) return { refreshAfterMs: Number.POSITIVE_INFINITY, unusableAfterMs: Number.POSITIVE_INFINITY };
  const lifeMs = Math.max(SHORTEST_LIFE_MS, statedMs);
  return {
    refreshAfterMs: lifeMs * REFRESH_AT * (1 - REFRESH_SPREAD * chance),
    unusableAfterMs: lifeMs - Math.min(LAST_MOMENTS_MS, lifeMs * 0.05),
  };
}

/**
 * The life that a JWT (RFC 7519) states, in ms: from `iat` to `exp`, both by its issuer's clock; without `iat`, from
 * `nowMs` (wall clock) to `exp`. Null when it states no end, or is no JWT. The signature is not looked at.
 */
export function statedLifeMs(token: string, nowMs: number): number | null {
  const { exp, iat } = claimsOf(token);
  if (typeof exp !== 'number') return null;
  return Math.max(0, typeof iat === 'number' ? (exp - iat) * 1000 : exp * 1000 - nowMs);
}

function claimsOf(token: string): { readonly exp?: unknown; readonly iat?: unknown } {
  const [, body = ''] = token.split('.');
  try {
    const claims: unknown = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? claims : {};
  } catch {
    return {};
  }
}
