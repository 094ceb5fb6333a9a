import { SignJWT } from 'jose';

/** A token of a signed-in user, as Supabase Auth would issue it. Valid for a day. */
export function signUserToken(jwtSecret: string, userId: string): Promise<string> {
  return new SignJWT({ role: 'authenticated' })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(userId)
    .setAudience('authenticated')
    .setExpirationTime('1 day')
    .sign(new TextEncoder().encode(jwtSecret));
}

/** The long-lived key of a role, for servers whose keys are tokens. */
export function signRoleKey(jwtSecret: string, role: 'anon' | 'service_role'): Promise<string> {
  return new SignJWT({ role })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setExpirationTime('10 years')
    .sign(new TextEncoder().encode(jwtSecret));
}
