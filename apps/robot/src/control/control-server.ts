/**
 * The door of a running robot for commands on the same machine: a socket that its owner alone can open. The home
 * belongs to one robot (its store is locked), so whoever opens the socket here is that robot.
 */
import { chmod } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { JsonObject, JsonValue, Logger } from '@casare/execution';
import { messageOf } from '../message-of.ts';
import { answerLine, type ControlOutcome, maxRequestLength, parseRequest } from './control-protocol.ts';
import { LineTooLongError, readLines } from './read-lines.ts';
import { prepareSocketPlace, type SocketPlace } from './socket-place.ts';

/** By name. What one throws with a `code` is its answer; anything else is a defect. */
export type ControlCommands = ReadonlyMap<string, (args: JsonObject) => JsonValue | Promise<JsonValue>>;

export interface ControlServerOptions {
  /** The robot's home, owned by this process. */
  readonly home: string;
  readonly commands: ControlCommands;
  readonly logger: Logger;
}

/** Connections at a time; more are closed at once (I7). */
const maxConnections = 16;
/** A connection that says nothing for so long is closed. */
const idleMs = 30_000;

export class ControlServer {
  readonly path: string;
  readonly #options: ControlServerOptions;
  readonly #server: Server;
  readonly #place: SocketPlace;
  readonly #sockets = new Set<Socket>();

  private constructor(options: ControlServerOptions, place: SocketPlace) {
    this.#options = options;
    this.#place = place;
    this.path = place.path;
    this.#server = createServer((socket) => void this.#serve(socket));
    this.#server.maxConnections = maxConnections;
  }

  /** @throws Error when no socket can be made */
  static async open(options: ControlServerOptions): Promise<ControlServer> {
    const place = await prepareSocketPlace(options.home);
    const control = new ControlServer(options, place);
    try {
      await control.#listen();
    } catch (error) {
      await place.dispose();
      throw error;
    }
    return control;
  }

  /** Resolves when the socket is gone. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroySoon();
    await closed;
    await this.#place.dispose();
  }

  async #listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.path, resolve);
    });
    // The folder is its owner's alone; this is for whoever opens the folder.
    if (process.platform !== 'win32') await chmod(this.path, 0o600);
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.setEncoding('utf8');
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#sockets.delete(socket));
    try {
      // Leaving the loop must not close the socket: the last answer is still to be sent.
      const chunks: AsyncIterable<string> = socket.iterator({ destroyOnReturn: false });
      for await (const line of readLines(chunks, maxRequestLength)) socket.write(await this.#answer(line));
    } catch (error) {
      // A caller that went away in the middle needs no answer.
      if (error instanceof LineTooLongError) {
        socket.end(answerLine(null, { ok: false, error: { code: error.code, message: error.message } }));
      }
    }
  }

  async #answer(line: string): Promise<string> {
    const request = parseRequest(line);
    if ('fault' in request) return answerLine(request.id, { ok: false, error: request.fault });
    return answerLine(request.id, await this.#perform(request.command, request.args));
  }

  async #perform(command: string, args: JsonObject): Promise<ControlOutcome> {
    const { commands, logger } = this.#options;
    const perform = commands.get(command);
    if (perform === undefined) {
      const message = `there is no command ${JSON.stringify(command.slice(0, 100))}; there are ${[...commands.keys()].join(', ')}`;
      return { ok: false, error: { code: 'UNKNOWN_COMMAND', message } };
    }
    try {
      return { ok: true, result: await perform(args) };
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (typeof code === 'string') return { ok: false, error: { code, message: messageOf(error) } };
      logger.log('error', `the control command ${command} met a defect: ${messageOf(error)}`);
      return { ok: false, error: { code: 'INTERNAL_ERROR', message: messageOf(error) } };
    }
  }
}
