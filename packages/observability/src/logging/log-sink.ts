/**
 * Where log lines go. A sink throws what keeps it from writing; it is asked again with the next line, so that a
 * disk that was full once is used again as soon as it has room.
 */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '../errors.ts';
import { AppendFile } from '../files/append-file.ts';

export interface LogSink {
  /** @returns `waits`: it is not known yet whether it can be written, and `onError` may still be called */
  write(line: string, onError: (message: string) => void): 'waits' | undefined;
  close(): Promise<void>;
}

/** Most that waits for a slow reader of the stream before lines are dropped (I7). */
const mostWaitingBytes = 1024 * 1024;

const guarded = new WeakSet<NodeJS.WritableStream>();

export function streamSink(stream: NodeJS.WritableStream & { readonly writableLength: number }): LogSink {
  if (!guarded.has(stream)) {
    guarded.add(stream);
    // Each write learns of its failure by its own callback; without a listener the event would end the process.
    stream.on('error', () => undefined);
  }
  return {
    write(line, onError) {
      if (stream.writableLength > mostWaitingBytes) throw new Error('the reader of the log stream is too slow');
      stream.write(`${line}\n`, (error) => {
        if (error) onError(messageOf(error));
      });
      return 'waits';
    },
    close: () => new Promise((resolve) => stream.write('', () => resolve())),
  };
}

export interface LogFileOptions {
  readonly path: string;
  /** A file that reached this size is put aside. Default 10 MiB. */
  readonly maxBytes?: number;
  /** Files kept, the current one included (`robot.log`, `robot.log.1`, ...). Default 5. */
  readonly maxFiles?: number;
  /** When the file may be touched: lines wait for it in memory, at most 1,000. Default: at once. */
  readonly after?: Promise<unknown>;
}

const mostHeldLines = 1_000;

/** Every line is on its way to the disk when `write` returns: no exit of the process loses one. */
export function fileSink(options: LogFileOptions): LogSink {
  const { path, maxBytes = 10 * 1024 * 1024, maxFiles = 5, after } = options;
  let file: AppendFile | null = null;
  let held: { readonly line: string; readonly onError: (message: string) => void }[] | null =
    after === undefined ? null : [];
  const release = (): void => {
    const open = file;
    file = null;
    open?.close();
  };
  const append = (line: string): void => {
    try {
      if (file !== null && file.size >= maxBytes) {
        release();
        rotate(path, maxFiles);
      }
      if (file === null) {
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
        file = new AppendFile(path);
      }
      file.append(line);
    } catch (error) {
      release();
      throw error;
    }
  };
  after?.then(
    () => {
      const lines = held ?? [];
      held = null;
      for (const { line, onError } of lines) {
        try {
          append(line);
        } catch (error) {
          onError(messageOf(error));
        }
      }
    },
    () => undefined,
  );
  return {
    write(line, onError) {
      if (held === null) {
        append(line);
        return undefined;
      }
      if (held.length >= mostHeldLines) throw new Error('more lines came before the log file than can wait for it');
      held.push({ line, onError });
      return 'waits';
    },
    async close() {
      held = null;
      release();
    },
  };
}

function rotate(path: string, maxFiles: number): void {
  rmSync(`${path}.${maxFiles - 1}`, { force: true });
  for (let number = maxFiles - 2; number >= 1; number -= 1) moveIfThere(`${path}.${number}`, `${path}.${number + 1}`);
  if (maxFiles > 1) renameSync(path, `${path}.1`);
  else rmSync(path, { force: true });
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
