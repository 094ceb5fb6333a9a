/** What the gateway itself refuses; errors of the connection pass through unchanged. */
export class GatewayError extends Error {
  /** `CONTENT_CONFLICT`: the server has something else under the number, or as the end, that was sent; that stands. */
  readonly code: 'INVALID_ID' | 'INVALID_TEXT' | 'TOO_DEEP' | 'GATEWAY_ANSWER_INVALID' | 'CONTENT_CONFLICT';
  readonly category = 'permanent' as const;

  constructor(code: GatewayError['code'], message: string) {
    super(message);
    this.name = 'GatewayError';
    this.code = code;
  }
}
