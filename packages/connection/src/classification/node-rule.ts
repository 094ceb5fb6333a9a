/** Node's system, DNS and TLS error codes. */
import type { ClassifyRule } from './error-link.ts';
import { type ErrorClass, verdict } from './verdict.ts';

const CODES: { readonly [letter in 'S' | 'A' | 'O' | 'P']: readonly string[] } = {
  S: [
    'ECONNREFUSED',
    'ENOTFOUND',
    'EAI_AGAIN',
    'ENETUNREACH',
    'EHOSTUNREACH',
    'EHOSTDOWN',
    'ENETDOWN',
    'EADDRNOTAVAIL',
    'EMFILE',
    'ENFILE',
  ],
  A: ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED'],
  O: ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EIO', 'CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'],
  P: [
    'ENOENT',
    'ENOTDIR',
    'EISDIR',
    'EPROTO',
    'ERR_INVALID_URL',
    'ERR_SOCKET_BAD_PORT',
    'ERR_INVALID_CHAR',
    'ERR_INVALID_HTTP_TOKEN',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'CERT_CHAIN_TOO_LONG',
    'CERT_REJECTED',
    'CERT_REVOKED',
    'CERT_SIGNATURE_FAILURE',
    'CERT_UNTRUSTED',
    'HOSTNAME_MISMATCH',
    'INVALID_CA',
    'INVALID_PURPOSE',
  ],
};

const CLASS_OF: ReadonlyMap<string, ErrorClass> = new Map(
  Object.entries(CODES).flatMap(([letter, codes]) => codes.map((code) => [code, letter as ErrorClass] as const)),
);

const CLOCK = "the server's certificate is not valid today: check this machine's clock, then the certificate";

const REMEDY: { readonly [code: string]: string } = {
  CERT_HAS_EXPIRED: CLOCK,
  CERT_NOT_YET_VALID: CLOCK,
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied by the operating system or a firewall',
  EIO: 'the disk reports errors',
};

export const nodeRule: ClassifyRule = ({ code, message }) => {
  const letter = CLASS_OF.get(code);
  if (letter !== undefined) {
    const remedy = REMEDY[code];
    return verdict(letter, code, remedy === undefined ? {} : { remedy });
  }
  if (/^ERR_(TLS|SSL)_/.test(code)) {
    return verdict('P', code, { remedy: "the server's certificate or TLS settings are not acceptable" });
  }
  return message === 'bad port' ? verdict('P', 'BAD_PORT') : undefined;
};
