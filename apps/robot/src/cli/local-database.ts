/** The database of `start --local`: it lives as long as its robot, and is where it was whenever it was started again. */
import { join } from 'node:path';
import { type Logger, systemClock } from '@casare/execution';
import { type LocalChild, startLocalChild } from './local-child.ts';
import type { LocalEndpoint } from './local-endpoint.ts';
import { LocalRestarts } from './local-restarts.ts';
import type { Terminal } from './terminal.ts';

export class LocalDatabase {
  readonly #mainScript: string;
  readonly #dataDir: string;
  readonly #terminal: Terminal;
  readonly #first: LocalChild;
  #restarts: LocalRestarts | null = null;

  private constructor(mainScript: string, dataDir: string, terminal: Terminal, first: LocalChild) {
    this.#mainScript = mainScript;
    this.#dataDir = dataDir;
    this.#terminal = terminal;
    this.#first = first;
  }

  /**
   * @param home the robot's: its data is in `local-supabase` below it
   * @throws CliError when it does not come up
   */
  static async start(mainScript: string, home: string, terminal: Terminal): Promise<LocalDatabase> {
    const dataDir = join(home, 'local-supabase');
    const onMessage = (line: string): void => terminal.note(line);
    return new LocalDatabase(mainScript, dataDir, terminal, await startLocalChild({ mainScript, dataDir, onMessage }));
  }

  get endpoint(): LocalEndpoint {
    return this.#first;
  }

  /** From now on it is started again when it ends. @param robotLog null until the robot has one */
  keepUp(robotLog: () => Logger | null): void {
    const logger: Logger = {
      log: (level, message) => {
        const log = robotLog();
        if (log === null) this.#terminal.note(`casare-robot: ${message}`);
        else log.log(level, message);
      },
    };
    this.#restarts = new LocalRestarts({
      database: this.#first,
      start: (signal) => this.#startAgain(signal),
      clock: systemClock,
      logger,
    });
  }

  async stop(): Promise<void> {
    await (this.#restarts ?? this.#first).stop();
  }

  /** At the first one's port, and with the same home: URL and key stay. What it says is told once it is up. */
  async #startAgain(signal: AbortSignal): Promise<LocalChild> {
    let isUp = false;
    let lastWords = '';
    const onMessage = (line: string): void => {
      lastWords = line;
      if (isUp) this.#terminal.note(line);
    };
    const port = Number(new URL(this.#first.url).port);
    try {
      const place = { mainScript: this.#mainScript, dataDir: this.#dataDir, port };
      const child = await startLocalChild({ ...place, onMessage, signal });
      isUp = true;
      return child;
    } catch (error) {
      throw lastWords === '' ? error : new Error(lastWords.replace(/^casare-robot: /, ''));
    }
  }
}
