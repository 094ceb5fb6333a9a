/** Asks the robot that runs in a home, through its control socket. */
import { createConnection, type Socket } from 'node:net';
import type { JsonObject, JsonValue } from '@casare/execution';
import { type ControlOutcome, parseAnswer, requestLine } from './control-protocol.ts';
import { readLines } from './read-lines.ts';
import { findSocket } from './socket-place.ts';

/** Codes: `NO_ROBOT`, `ROBOT_SILENT`, `ROBOT_FORBIDDEN`, and those that the robot answers with. */
export class ControlError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ControlError';
    this.code = code;
  }
}

/** An answer of this length (characters) is no answer. */
const maxAnswerLength = 16 * 1_048_576;

/**
 * @param timeoutMs how long the robot may take to answer. Default 10,000
 * @throws ControlError
 */
export async function askRobot(
  home: string,
  command: string,
  args: JsonObject = {},
  timeoutMs = 10_000,
): Promise<JsonValue> {
  const socket = await connect(await findSocket(home), home);
  socket.setEncoding('utf8');
  socket.setTimeout(timeoutMs, () =>
    socket.destroy(new ControlError('ROBOT_SILENT', `the robot has not answered within ${timeoutMs / 1_000} s`)),
  );
  try {
    socket.write(requestLine({ id: 1, command, args }));
    const outcome = await firstAnswer(socket);
    if (outcome === null) throw closedWithoutAnswer();
    if (outcome.ok) return outcome.result;
    throw new ControlError(outcome.error.code, outcome.error.message);
  } finally {
    socket.destroy();
  }
}

async function firstAnswer(socket: Socket): Promise<ControlOutcome | null> {
  try {
    for await (const line of readLines(socket, maxAnswerLength)) return parseAnswer(line);
    return null;
  } catch (error) {
    const { code } = error as { code?: unknown };
    // A robot that ends resets the connections that it has not taken yet.
    if (code === 'ECONNRESET' || code === 'EPIPE') throw closedWithoutAnswer(error);
    throw error;
  }
}

function closedWithoutAnswer(cause?: unknown): ControlError {
  return new ControlError('ROBOT_SILENT', 'the robot has closed the connection without an answer', { cause });
}

function connect(path: string, home: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const { code } = error;
      if (code === 'EACCES' || code === 'EPERM') {
        const message = `${path} belongs to another account; run this as the account that runs the robot`;
        reject(new ControlError('ROBOT_FORBIDDEN', message, { cause: error }));
      } else if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTSOCK' || code === 'EINVAL') {
        reject(new ControlError('NO_ROBOT', `no robot runs in ${home}`, { cause: error }));
      } else reject(new ControlError('ROBOT_SILENT', `${path} cannot be reached: ${error.message}`, { cause: error }));
    });
  });
}
