/** Writes the files of one bundle, as far as its size allows; what does not fit is named. */
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redactor } from '@casare/observability/redaction';

const longestText = 4_000;
/** Of a bundle's size, kept for the file that says what it is, which every bundle has. */
const coverBytes = 64 * 1024;

export class BundleFiles {
  readonly #folder: string;
  readonly #maxBytes: number;
  #bytes: number;
  readonly leftOut: string[] = [];

  private constructor(folder: string, maxBytes: number, bytes: number) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#bytes = bytes;
  }

  /** An empty folder in the place of whatever was there. */
  static async begin(folder: string, maxBytes: number): Promise<BundleFiles> {
    await rm(folder, { recursive: true, force: true });
    return BundleFiles.goOn(folder, maxBytes);
  }

  static async goOn(folder: string, maxBytes: number): Promise<BundleFiles> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new BundleFiles(folder, maxBytes, await folderBytes(folder));
  }

  async write(name: string, content: Uint8Array | string): Promise<void> {
    const bytes = Buffer.byteLength(content);
    if (bytes > this.#room) this.leftOut.push(`${name} (${bytes} bytes)`);
    else await this.#put(name, content);
  }

  /** As many of the last lines as there is room for. */
  async writeLines(name: string, lines: readonly string[]): Promise<void> {
    let first = lines.length;
    let room = this.#room;
    for (; first > 0; first -= 1) {
      room -= Buffer.byteLength(lines[first - 1] ?? '') + 1;
      if (room < 0) break;
    }
    if (first > 0) this.leftOut.push(`${name}: its first ${first} of ${lines.length} lines`);
    await this.#put(
      name,
      lines
        .slice(first)
        .map((line) => `${line}\n`)
        .join(''),
    );
  }

  async writeJson(name: string, value: unknown): Promise<void> {
    await this.write(name, jsonText(value));
  }

  /** What the bundle is: never left out. */
  async writeCover(name: string, value: unknown): Promise<void> {
    await this.#put(name, jsonText(value));
  }

  get #room(): number {
    return Math.max(0, this.#maxBytes - coverBytes - this.#bytes);
  }

  async #put(name: string, content: Uint8Array | string): Promise<void> {
    await writeFile(join(this.#folder, name), content, { mode: 0o600 });
    this.#bytes += Buffer.byteLength(content);
  }
}

export async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder).catch(() => [] as string[])) {
    bytes += (await stat(join(folder, name)).catch(() => null))?.size ?? 0;
  }
  return bytes;
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(shown(value), null, 2)}\n`;
}

const byKey = new Redactor();

/** Bounded, and without what lies under a key that tells of a secret (I8). */
function shown(value: unknown): unknown {
  // Each of several nodes has room of its own.
  const plain = Array.isArray(value) ? value.map((item: unknown) => byKey.json(item)) : byKey.json(value);
  const cut = (item: unknown): unknown => {
    if (typeof item === 'string') return item.length > longestText ? `${item.slice(0, longestText)}... (cut)` : item;
    if (Array.isArray(item)) return item.map(cut);
    if (typeof item !== 'object' || item === null) return item;
    return Object.fromEntries(Object.entries(item).map(([key, inner]) => [key, cut(inner)]));
  };
  return cut(plain);
}
