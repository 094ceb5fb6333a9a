/**
 * A file that only grows, line by line. A line is one `write` on a descriptor opened with O_APPEND, so it is
 * whole or, after a crash or on a full disk, the torn end of the file; the next line then starts anew.
 */
import { closeSync, constants, fchmodSync, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from './durable-file.ts';

const newline = 0x0a;
const lineEnd = Buffer.from('\n');

export class AppendFile {
  readonly path: string;
  readonly #descriptor: number;
  #size: number;
  #torn: boolean;

  /** Opens the file, making it if it is missing, for the owner alone. Throws what the file system says. */
  constructor(path: string) {
    this.path = path;
    this.#descriptor = openSync(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600);
    try {
      const stat = fstatSync(this.#descriptor);
      if (stat.isFile() && (stat.mode & 0o077) !== 0) fchmodSync(this.#descriptor, 0o600);
      this.#size = stat.size;
      this.#torn = stat.size > 0 && lastByte(this.#descriptor, stat.size) !== newline;
      if (stat.size === 0) syncFolder(dirname(path));
    } catch (error) {
      closeSync(this.#descriptor);
      throw error;
    }
  }

  /** Bytes, as far as this process wrote them or found them. */
  get size(): number {
    return this.#size;
  }

  /** @param line without its line end. Throws what the file system says. */
  append(line: string | Buffer): void {
    const text = typeof line === 'string' ? Buffer.from(line, 'utf8') : line;
    const bytes = Buffer.concat(this.#torn ? [lineEnd, text, lineEnd] : [text, lineEnd]);
    for (let written = 0; written < bytes.length; ) {
      const count = writeSync(this.#descriptor, bytes, written);
      written += count;
      this.#size += count;
      this.#torn = written < bytes.length;
    }
  }

  /** Resolved on return: what was appended survives power loss. */
  sync(): void {
    fdatasyncSync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function lastByte(descriptor: number, size: number): number | undefined {
  const byte = Buffer.alloc(1);
  return readSync(descriptor, byte, 0, 1, size - 1) === 1 ? byte[0] : undefined;
}
