/**
 * What a robot and a command on the same machine say to each other: one JSON object per line. A request names its
 * version, a number of its own and a command; the answer repeats the number.
 *
 *   {"v":1,"id":1,"command":"pause","args":{"note":"month end"}}
 *   {"v":1,"id":1,"ok":true,"result":null}
 *   {"v":1,"id":1,"ok":false,"error":{"code":"INVALID_ARGUMENT","message":"..."}}
 */
import type { JsonObject, JsonValue } from '@casare/execution';

export const protocolVersion = 1;
/** A longer request line is refused and ends the connection (I7). In characters. */
export const maxRequestLength = 65_536;

export interface ControlRequest {
  readonly id: number;
  readonly command: string;
  readonly args: JsonObject;
}

export interface ControlFault {
  readonly code: string;
  readonly message: string;
}

export type ControlOutcome =
  | { readonly ok: true; readonly result: JsonValue }
  | { readonly ok: false; readonly error: ControlFault };

/** @returns the fault of a line that is no request, with the request's number where it has one */
export function parseRequest(
  line: string,
): ControlRequest | { readonly id: number | null; readonly fault: ControlFault } {
  const request = objectIn(line);
  const id = Number.isSafeInteger(request?.id) ? (request?.id as number) : null;
  const refuse = (code: string, message: string) => ({ id, fault: { code, message } });
  if (request === null) return refuse('NOT_A_REQUEST', 'a request is one JSON object on one line');
  if (request.v !== protocolVersion) {
    return refuse(
      'UNSUPPORTED_VERSION',
      `this robot speaks version ${protocolVersion} of its control protocol; use the casare-robot of its own version`,
    );
  }
  const { command, args = {} } = request;
  if (id === null || typeof command !== 'string' || typeof args !== 'object' || args === null || Array.isArray(args)) {
    return refuse('NOT_A_REQUEST', 'a request has a whole number "id", a text "command" and, if any, an object "args"');
  }
  return { id, command, args: args as JsonObject };
}

export function requestLine({ id, command, args }: ControlRequest): string {
  return `${JSON.stringify({ v: protocolVersion, id, command, args })}\n`;
}

export function answerLine(id: number | null, outcome: ControlOutcome): string {
  return `${JSON.stringify({ v: protocolVersion, id, ...outcome })}\n`;
}

/** Null for a line that is no answer. */
export function parseAnswer(line: string): ControlOutcome | null {
  const answer = objectIn(line);
  if (answer?.ok === true) return { ok: true, result: (answer.result ?? null) as JsonValue };
  const error = answer?.error as Partial<ControlFault> | undefined;
  if (answer?.ok !== false || typeof error?.code !== 'string' || typeof error.message !== 'string') return null;
  return { ok: false, error: { code: error.code, message: error.message } };
}

function objectIn(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
