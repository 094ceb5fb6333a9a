/** Failures of the transport in the words of the product: the one place that knows Node's and undici's codes. */
import { type ErrorCategory, NodeError } from '../errors.ts';

interface Translation {
  readonly code: string;
  readonly category: ErrorCategory;
  readonly errorType: string;
  /** True when the request cannot have reached the server. */
  readonly beforeSending: boolean;
  readonly problem: string;
}

function connecting(code: string, problem: string, category: ErrorCategory = 'transient'): Translation {
  return { code, category, errorType: 'ConnectionError', beforeSending: true, problem };
}

function underWay(code: string, problem: string, category: ErrorCategory = 'transient'): Translation {
  return { code, category, errorType: 'ConnectionError', beforeSending: false, problem };
}

const refused = connecting('HTTP_CONNECTION_REFUSED', 'refused the connection: is it running on that port?');
const unknownHost = connecting('HTTP_HOST_NOT_FOUND', 'could not be found: check the name, or the network');
const unreachable = connecting('HTTP_UNREACHABLE', 'cannot be reached: check the network');
const slowConnect = connecting('HTTP_TIMEOUT', 'did not accept the connection in time');
const lost = underWay('HTTP_CONNECTION_LOST', 'closed the connection before it had answered');
const proxy = connecting('HTTP_PROXY_FAILED', 'could not be reached through the proxy: check proxy');
const proxyLogin = connecting(
  'HTTP_PROXY_FAILED',
  'was not asked, because the proxy wants a login: put user:password@ into the address in proxy',
  'permanent',
);
const badRequest = connecting('HTTP_REQUEST_INVALID', 'cannot be asked that way: check headers and url', 'permanent');
const certificate = connecting(
  'HTTP_CERTIFICATE_INVALID',
  'has a certificate that cannot be trusted: install its authority, or switch verify_ssl off if you know the server',
  'permanent',
);

const BY_CODE: Readonly<Record<string, Translation>> = {
  ECONNREFUSED: refused,
  ENOTFOUND: unknownHost,
  EAI_AGAIN: unknownHost,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  EADDRNOTAVAIL: unreachable,
  UND_ERR_CONNECT_TIMEOUT: slowConnect,
  ECONNRESET: lost,
  EPIPE: lost,
  ETIMEDOUT: lost,
  UND_ERR_SOCKET: lost,
  UND_ERR_PRX_TLS: proxy,
  UND_ERR_PRX_CONN: proxy,
  UND_ERR_INVALID_ARG: badRequest,
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: badRequest,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: underWay('HTTP_CONNECTION_LOST', 'sent less than it had announced'),
};

const BY_PATTERN: readonly (readonly [RegExp, Translation])[] = [
  [/^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT|HOSTNAME_MISMATCH)/, certificate],
  [
    /^(ERR_SSL|ERR_TLS|EPROTO)/,
    connecting('HTTP_TLS_FAILED', 'does not speak TLS as expected: check http or https', 'permanent'),
  ],
  [/^HPE_/, underWay('HTTP_RESPONSE_INVALID', 'answered with something that is not HTTP', 'permanent')],
  [
    /^(Z_|ERR_BUFFER_TOO_LARGE|ERR_PADDING)/,
    underWay('HTTP_RESPONSE_INVALID', 'sent a body that cannot be unpacked', 'permanent'),
  ],
];

const unknown = underWay('HTTP_FAILED', 'could not be asked', 'unknown');

export interface FailureOptions {
  /** The address, fit to be shown. */
  readonly address: string;
  /** True when asking has an effect at the server. */
  readonly hasEffect: boolean;
  /** False when it is known that no connection came about. */
  readonly connected: boolean;
}

/** A node error for whatever a request threw; node errors only learn whether they are ambiguous. */
export function httpError(error: unknown, { address, hasEffect, connected }: FailureOptions): NodeError {
  if (error instanceof NodeError) {
    const ambiguous = hasEffect && connected;
    return ambiguous === error.ambiguous ? error : new NodeError(error.message, { ...optionsOf(error), ambiguous });
  }
  const { code, translation } = translate(error);
  const reason = code === '' ? '' : ` (${code})`;
  return new NodeError(`${address} ${translation.problem}${reason}`, {
    code: translation.code,
    category: translation.category,
    errorType: translation.errorType,
    ambiguous: hasEffect && connected && !translation.beforeSending,
    cause: error,
  });
}

function optionsOf(error: NodeError): { code: string; category: ErrorCategory; errorType: string; cause: unknown } {
  return { code: error.code, category: error.category, errorType: error.errorType, cause: error };
}

/** Walks the chain of causes to the first that says something. */
function translate(error: unknown): { code: string; translation: Translation } {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (/Proxy Authentication Required/.test(current.message)) return { code: '407', translation: proxyLogin };
    const proxyStatus = /^Proxy response \((\d+)\)/.exec(current.message)?.[1];
    if (proxyStatus !== undefined)
      return { code: proxyStatus, translation: proxyStatus === '407' ? proxyLogin : proxy };
    const code = 'code' in current && typeof current.code === 'string' ? current.code : '';
    const translation = BY_CODE[code] ?? BY_PATTERN.find(([pattern]) => pattern.test(code))?.[1];
    if (translation !== undefined) return { code, translation };
  }
  return { code: '', translation: unknown };
}
