/**
 * The file that names the live job processes and the leaders of their groups, so that a supervisor that comes after a
 * killed one can prove them gone before it takes up their jobs. It is written before a process gets its first job. It
 * need not survive the machine: neither do the processes. A disk that is full keeps no job from ending: while the file
 * cannot be written, processes are found by the mark in their environment alone.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ProcessId } from './process-table.ts';

interface RegisterFile {
  readonly boot_id: string;
  readonly mark: string;
  /** The folder that it was written in, wherever that is moved: the file of a copied home names another robot's processes. */
  readonly folder?: string;
  readonly processes: readonly { readonly pid: number; readonly start_ticks: number }[];
}

export interface RegisterOptions {
  readonly path: string;
  /** Which boot of the machine this is: ids and start times of another one mean nothing. */
  readonly bootId: string;
  /** What the mark of each process of this robot begins with. */
  readonly mark: string;
  /** Told once when the file cannot be written. */
  readonly onError: (error: unknown) => void;
}

export interface Leftovers {
  readonly processes: readonly ProcessId[];
  /** What the marks begin with. */
  readonly marks: readonly string[];
}

export class ProcessRegister {
  readonly #options: RegisterOptions;
  readonly #processes = new Map<string, ProcessId>();
  #isBehind = false;

  constructor(options: RegisterOptions) {
    this.#options = options;
  }

  /** What an earlier supervisor of this robot has left. A file that cannot be read leaves the marks. */
  leftovers(): Leftovers {
    const { path, bootId, mark } = this.#options;
    const file = readRegister(path);
    const isCopy = file?.folder !== undefined && file.folder !== folderId(path);
    if (file === null || file.boot_id !== bootId || isCopy) return { processes: [], marks: [mark] };
    return {
      processes: file.processes.map(({ pid, start_ticks }) => ({ pid, startTicks: start_ticks })),
      marks: [...new Set([mark, file.mark])],
    };
  }

  /** On return the file names it, unless the disk refuses it. */
  add(processes: readonly ProcessId[]): void {
    const before = this.#processes.size;
    for (const process of processes) this.#processes.set(keyOf(process), process);
    if (this.#isBehind || this.#processes.size !== before) this.#save();
  }

  remove(processes: readonly ProcessId[]): void {
    const before = this.#processes.size;
    for (const process of processes) this.#processes.delete(keyOf(process));
    if (this.#isBehind || this.#processes.size !== before) this.#save();
  }

  /** What could not be written comes with the next change. */
  #save(): void {
    try {
      this.#write();
      this.#isBehind = false;
    } catch (error) {
      if (!this.#isBehind) this.#options.onError(error);
      this.#isBehind = true;
    }
  }

  #write(): void {
    const { path, bootId, mark } = this.#options;
    const processes = [...this.#processes.values()].map(({ pid, startTicks }) => ({ pid, start_ticks: startTicks }));
    const temporary = `${path}.tmp`;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const file: RegisterFile = { boot_id: bootId, mark, folder: folderId(path), processes };
    writeFileSync(temporary, `${JSON.stringify(file)}\n`, { mode: 0o600 });
    renameSync(temporary, path);
  }

  /** Nothing is left that an earlier supervisor started. */
  clear(): void {
    rmSync(this.#options.path, { force: true });
  }
}

function keyOf({ pid, startTicks }: ProcessId): string {
  return `${pid}:${startTicks}`;
}

function folderId(path: string): string {
  const { dev, ino } = statSync(dirname(path), { bigint: true });
  return `${dev}:${ino}`;
}

function readRegister(path: string): RegisterFile | null {
  try {
    const file = JSON.parse(readFileSync(path, 'utf8')) as Partial<RegisterFile> | null;
    const isWhole =
      typeof file?.boot_id === 'string' &&
      typeof file.mark === 'string' &&
      Array.isArray(file.processes) &&
      file.processes.every((process) => Number.isInteger(process?.pid) && Number.isInteger(process?.start_ticks));
    return isWhole ? (file as RegisterFile) : null;
  } catch {
    return null;
  }
}
