import { describe, expect, it, test } from 'vitest';
import { ConnectionError } from '../errors.ts';
import { classifyError, createClassifier } from './classify-error.ts';
import { isDuplicateOf } from './duplicate-key.ts';
import { type ErrorCategory, type ErrorClass, verdict } from './verdict.ts';

const withCode = (code: string): Error => Object.assign(new Error('x'), { code });
const pgError = (code: string, status = 500): object => ({ code, message: 'x', details: null, hint: null, status });

/** Every row of the classification, code by code: S not executed, A ambiguous, U credentials, P permanent, C ours, O operator. */
const codes: { [source: string]: [ErrorClass, string][] } = {
  SQLSTATE: [
    ['S', '40001 40P01 53300 55P03 57P03 08001 08004'],
    ['A', '08000 08003 08006 08007 08P01 40003 57P01 57P02 57P05 58030 XX000 57014'],
    ['O', '25006 53100 53200 53400 57P04 XX001 XX002'],
    ['P', '0A000 22P02 22023 23505 23503 23502 28P01 28000 42501 42P01 42883 44000 54001 P0001 P0002'],
  ],
  PostgREST: [
    ['S', 'PGRST000 PGRST001 PGRST002 PGRST003'],
    ['P', 'PGRST100 PGRST102 PGRST106 PGRST116 PGRST125 PGRST202 PGRST204 PGRST205 PGRST200 PGRST201 PGRST203'],
    ['O', 'PGRST300'],
    ['U', 'PGRST301 PGRST302 PGRST303'],
    ['A', 'PGRSTX00'],
  ],
  Node: [
    ['S', 'ECONNREFUSED ENOTFOUND EAI_AGAIN ENETUNREACH EHOSTUNREACH EHOSTDOWN ENETDOWN EMFILE ENFILE EADDRNOTAVAIL'],
    ['A', 'ECONNRESET EPIPE ETIMEDOUT ECONNABORTED'],
    ['O', 'ENOSPC EDQUOT EROFS EACCES EIO CERT_HAS_EXPIRED CERT_NOT_YET_VALID'],
    ['P', 'ENOENT ENOTDIR EISDIR ERR_INVALID_URL ERR_SOCKET_BAD_PORT ERR_INVALID_CHAR ERR_INVALID_HTTP_TOKEN EPROTO'],
    ['P', 'DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN UNABLE_TO_VERIFY_LEAF_SIGNATURE CERT_REVOKED'],
    [
      'P',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY HOSTNAME_MISMATCH ERR_TLS_CERT_ALTNAME_INVALID ERR_SSL_WRONG_VERSION_NUMBER',
    ],
  ],
  undici: [
    ['S', 'UND_ERR_CONNECT_TIMEOUT UND_ERR_CLOSED UND_ERR_PRX_CONN'],
    ['A', 'UND_ERR_HEADERS_TIMEOUT UND_ERR_BODY_TIMEOUT UND_ERR_SOCKET UND_ERR_DESTROYED HPE_INVALID_CONSTANT'],
    ['A', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH UND_ERR_REQ_CONTENT_LENGTH_MISMATCH UND_ERR_INFO UND_ERR_HTTP_PARSER'],
    ['C', 'UND_ERR_ABORTED UND_ERR_ABORT'],
    ['P', 'UND_ERR_INVALID_ARG UND_ERR_HEADERS_OVERFLOW UND_ERR_NOT_SUPPORTED UND_ERR_RES_EXCEEDED_MAX_SIZE'],
  ],
};

const statuses: [ErrorClass, number[]][] = [
  ['T', [429]],
  ['A', [408, 500, 502, 503, 504, 507, 520, 521, 522, 523, 524, 530]],
  ['S', [425]],
  ['U', [401]],
  ['O', [402, 540]],
  ['P', [300, 301, 400, 403, 404, 405, 406, 409, 410, 413, 415, 416, 422, 451, 501, 505, 526]],
];

/** Permanent, and yet perhaps executed: there was an answer of sorts. */
const answered: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_RES_EXCEEDED_MAX_SIZE']);

const categories: { readonly [letter in ErrorClass]: ErrorCategory } = {
  ...{ S: 'transient', A: 'transient', T: 'transient' },
  ...{ U: 'permanent', P: 'permanent', C: 'permanent', O: 'permanent' },
};

describe('classifyError', () => {
  for (const [source, rows] of Object.entries(codes)) {
    for (const [letter, list] of rows) {
      test.each(list.split(' '))(`${source} %s is ${letter}`, (code) => {
        const made = source === 'SQLSTATE' || source === 'PostgREST' ? pgError(code) : withCode(code);
        const category = categories[letter];
        expect(classifyError(made)).toMatchObject({
          class: letter,
          code,
          category,
          ambiguous: 'AC'.includes(letter) || answered.has(code),
        });
      });
    }
  }

  for (const [letter, list] of statuses) {
    test.each(list)(`HTTP %i is ${letter}`, (status) => {
      expect(classifyError({ message: 'x', status })).toMatchObject({ class: letter, code: `HTTP_${status}` });
    });
  }

  test.each([
    ['a 2xx whose body is not JSON', { message: '<html>', status: 200 }, 'A', 'NOT_JSON'],
    ['409 with a unique violation', pgError('23505', 409), 'P', '23505'],
    ['404 chosen in SQL', pgError('PT404', 404), 'P', 'PT404'],
    ['401 chosen in SQL', pgError('PT401', 401), 'U', 'PT401'],
    ['503 chosen in SQL', pgError('PT503', 503), 'A', 'PT503'],
    ['503 with Retry-After', { message: 'x', status: 503, retryAfterMs: 5000 }, 'T', 'HTTP_503'],
    ['500 by its SQLSTATE first', pgError('23505', 500), 'P', '23505'],
    ['401 by its SQLSTATE first', pgError('42501', 401), 'P', '42501'],
    [
      '503 with Retry-After of a PostgREST without database',
      { ...pgError('PGRST001', 503), retryAfterMs: 1000 },
      'S',
      'PGRST001',
    ],
    ['a status chosen in SQL', pgError('PT429', 429), 'T', 'PT429'],
    ['fetch failed without a cause', new TypeError('fetch failed'), 'A', 'FETCH_FAILED'],
    ['a body that broke off', new TypeError('terminated'), 'A', 'TERMINATED'],
    ['a bad port', new TypeError('fetch failed', { cause: new Error('bad port') }), 'P', 'BAD_PORT'],
    ['an abort', new DOMException('x', 'AbortError'), 'C', 'ABORTED'],
    ['a time-out', new DOMException('x', 'TimeoutError'), 'A', 'TIMEOUT'],
    ['a mistake in the code', new TypeError('x is not a function'), 'P', 'TYPE_ERROR'],
    ['what nothing is known about', new Error('?'), 'A', 'UNKNOWN'],
    ['what is not even an error', undefined, 'A', 'UNKNOWN'],
  ] as const)('%s', (_name, error, letter, code) => {
    expect(classifyError(error)).toMatchObject({ class: letter, code });
  });

  it('walks the cause chain to the first link it knows', () => {
    const error = new Error('outer', { cause: new TypeError('fetch failed', { cause: withCode('ECONNREFUSED') }) });
    expect(classifyError(error)).toEqual({ category: 'transient', class: 'S', code: 'ECONNREFUSED', ambiguous: false });
  });

  it('takes the least hopeful of several errors, and their doubt', () => {
    const allRefused = new AggregateError([withCode('ECONNREFUSED'), withCode('ENETUNREACH')]);
    expect(classifyError(new TypeError('fetch failed', { cause: allRefused }))).toMatchObject({ class: 'S' });
    const mixed = new AggregateError([withCode('ECONNREFUSED'), withCode('ETIMEDOUT'), withCode('EACCES')]);
    expect(classifyError(mixed)).toMatchObject({ class: 'O', code: 'EACCES', ambiguous: true });
  });

  it('ends on a chain that bites its tail', () => {
    const error = new Error('a');
    error.cause = new Error('b', { cause: error });
    expect(classifyError(error)).toMatchObject({ category: 'unknown' });
  });

  it("tells the caller's own abort from our deadline", () => {
    const caller = new AbortController();
    const abort = new DOMException('x', 'AbortError');
    expect(classifyError(abort, { callerSignal: caller.signal })).toMatchObject({ class: 'A', code: 'TIMEOUT' });
    caller.abort('enough');
    expect(classifyError(abort, { callerSignal: caller.signal })).toMatchObject({ class: 'C' });
    expect(classifyError('enough', { callerSignal: caller.signal })).toMatchObject({ class: 'C' });
  });

  it('reads the cause that supabase-js leaves as text', () => {
    const error = {
      message: 'TypeError: fetch failed',
      details:
        'TypeError: fetch failed\n\nCaused by: Error: connect ECONNREFUSED 127.0.0.1:1 (ECONNREFUSED)\nError: ...',
      hint: '',
      code: '',
    };
    expect(classifyError(error)).toMatchObject({ class: 'S', code: 'ECONNREFUSED' });
  });

  it('keeps a verdict that an error carries already', () => {
    const error = new ConnectionError('x', verdict('T', 'BUSY', { retryAfterMs: 7 }));
    expect(classifyError(new Error('outer', { cause: error }))).toMatchObject({
      class: 'T',
      code: 'BUSY',
      retryAfterMs: 7,
    });
  });

  it('repeats what may be a stale schema cache, or a statement that ran too long, only once', () => {
    for (const code of ['PGRST202', 'PGRST204', 'PGRST205', '57014']) {
      expect(classifyError(pgError(code)).retryOnce).toBe(true);
    }
  });

  it('names a remedy where an operator must act', () => {
    expect(classifyError(withCode('CERT_HAS_EXPIRED')).remedy).toMatch(/clock/);
    expect(classifyError({ status: 540 }).remedy).toMatch(/paused/);
    expect(classifyError({ status: 401 }).remedy).toMatch(/key/);
  });

  it('asks the rules of another field first', () => {
    const classify = createClassifier([({ code }) => (code === 'SQLITE_BUSY' ? verdict('S', code) : undefined)]);
    expect(classify(new Error('outer', { cause: withCode('SQLITE_BUSY') }))).toMatchObject({ class: 'S' });
    expect(classify(withCode('ECONNRESET'))).toMatchObject({ class: 'A' });
  });

  it('keeps what the server asked for, wherever it stands', () => {
    const headers = { 'retry-after': '7' };
    expect(classifyError({ status: 429, headers })).toMatchObject({ class: 'T', retryAfterMs: 7000 });
    expect(classifyError({ status: 503, headers: new Headers(headers) })).toMatchObject({ retryAfterMs: 7000 });
    expect(classifyError({ message: 'x', response: { status: 429, headers } })).toMatchObject({ retryAfterMs: 7000 });
    const dates = { 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT', date: 'Thu, 01 Jan 2026 00:00:00 GMT' };
    expect(classifyError(new Response('', { status: 503, headers: dates }))).toMatchObject({
      class: 'T',
      retryAfterMs: 30_000,
    });
  });

  it('takes a client that was closed while its caller aborted for the abort', () => {
    const caller = new AbortController();
    for (const code of ['UND_ERR_CLOSED', 'UND_ERR_DESTROYED']) {
      expect(classifyError(withCode(code)).remedy).toMatch(/make a new one/);
    }
    caller.abort();
    for (const code of ['UND_ERR_CLOSED', 'UND_ERR_DESTROYED']) {
      expect(classifyError(withCode(code), { callerSignal: caller.signal })).toMatchObject({ class: 'C', code });
    }
  });

  it('knows when a unique violation is the confirmation of an earlier attempt', () => {
    const duplicate = { ...pgError('23505', 409), details: 'Key (request_id)=(abc-1) already exists.' };
    expect(isDuplicateOf(new Error('outer', { cause: duplicate }), 'abc-1')).toBe(true);
    expect(isDuplicateOf(duplicate, 'abc')).toBe(false);
    expect(isDuplicateOf({ ...duplicate, code: '23503' }, 'abc-1')).toBe(false);
    expect(isDuplicateOf(undefined, 'abc-1')).toBe(false);
  });
});

describe('classifyError is not shaken by', () => {
  const throwing = (): never => {
    throw new Error('getter');
  };
  const everyGetterThrows = new Proxy(
    {},
    { get: throwing, has: throwing, getPrototypeOf: throwing, ownKeys: throwing },
  );
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const revokedList = Proxy.revocable([], {});
  revokedList.revoke();
  const loop = new AggregateError([]);
  loop.errors.push(loop, new Error('x', { cause: loop }));
  let deep: unknown = withCode('ECONNREFUSED');
  for (let n = 0; n < 100_000; n += 1) deep = { cause: deep };

  test.each([
    ['getters that throw', everyGetterThrows, 'UNKNOWN'],
    ['a revoked proxy', revoked.proxy, 'UNKNOWN'],
    ['errors that are a revoked list', { errors: revokedList.proxy, cause: withCode('EPIPE') }, 'EPIPE'],
    ['a cause whose getters throw', new Error('x', { cause: everyGetterThrows }), 'UNKNOWN'],
    ['a list of errors that bites its tail', loop, 'UNKNOWN'],
    ['a hundred thousand causes', deep, 'UNKNOWN'],
    ['a million errors side by side', new AggregateError(new Array(1_000_000).fill(withCode('EPIPE'))), 'EPIPE'],
    ['a message of ten million characters', new Error('('.repeat(10_000_000)), 'UNKNOWN'],
    [
      'details of ten million characters',
      { code: '', message: 'TypeError: x', details: '(A'.repeat(5e6) },
      'FETCH_FAILED',
    ],
    ['a code that is no text', { code: { toString: throwing } }, 'UNKNOWN'],
    ['a status that is no number', { status: '500' }, 'UNKNOWN'],
    ['a verdict of a class that does not exist', { class: 'Z', code: 'X', category: 'odd', ambiguous: false }, 'X'],
    ['a symbol', Symbol('x'), 'UNKNOWN'],
    ['null', null, 'UNKNOWN'],
    ['a function', throwing, 'UNKNOWN'],
  ])('%s', (_name, error, code) => {
    expect(classifyError(error)).toMatchObject({ class: 'A', code });
  });

  test('a rule that throws', () => {
    const classify = createClassifier([throwing]);
    expect(classify(withCode('ECONNREFUSED'))).toMatchObject({ class: 'S' });
  });
});
