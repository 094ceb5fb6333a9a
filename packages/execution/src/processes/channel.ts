/**
 * Messages over a stream: each is JSON in UTF-8 behind its length, four bytes, big-endian. Whatever is not such a
 * frame breaks the channel, for good: nothing after it can be trusted.
 */
import type { Duplex } from 'node:stream';

/** Larger frames are refused: they would keep the receiver from its timers for too long. */
export const maxFrameBytes: number = 64 * 1024 * 1024;

const HEADER_BYTES = 4;

export class FrameTooLargeError extends Error {
  readonly code = 'FRAME_TOO_LARGE';
  readonly bytes: number;

  constructor(bytes: number) {
    super(`a message of ${bytes} bytes is larger than the limit of ${maxFrameBytes}`);
    this.name = 'FrameTooLargeError';
    this.bytes = bytes;
  }
}

/** @throws FrameTooLargeError */
export function encodeFrame(message: unknown): Buffer {
  const text = JSON.stringify(message);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxFrameBytes) throw new FrameTooLargeError(bytes);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + bytes);
  frame.writeUInt32BE(bytes, 0);
  frame.write(text, HEADER_BYTES);
  return frame;
}

/** Cuts a stream of bytes into messages, however the bytes are split. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;

  /** @throws Error when the bytes are no frames */
  *read(chunk: Buffer): Generator<unknown> {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    for (let length = this.#nextLength(); length !== null; length = this.#nextLength()) {
      if (length > maxFrameBytes) throw new FrameTooLargeError(length);
      if (this.#bytes < HEADER_BYTES + length) return;
      const all = this.#joined();
      const end = HEADER_BYTES + length;
      this.#chunks = end < all.length ? [all.subarray(end)] : [];
      this.#bytes = all.length - end;
      yield JSON.parse(all.toString('utf8', HEADER_BYTES, end));
    }
  }

  #nextLength(): number | null {
    if (this.#bytes < HEADER_BYTES) return null;
    const [first] = this.#chunks;
    return (first !== undefined && first.length >= HEADER_BYTES ? first : this.#joined()).readUInt32BE(0);
  }

  #joined(): Buffer {
    const [first] = this.#chunks;
    const all = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }
}

export interface ChannelOptions<In> {
  readonly onMessage: (message: In) => void;
  /** Called once: with the reason when the stream broke, with null when it ended. */
  readonly onClosed: (reason: Error | null) => void;
}

export class Channel<In extends { readonly type: string }, Out extends { readonly type: string }> {
  readonly #stream: Duplex;
  #isClosed = false;

  constructor(stream: Duplex, options: ChannelOptions<In>) {
    this.#stream = stream;
    const reader = new FrameReader();
    const close = (reason: Error | null): void => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      stream.destroy();
      options.onClosed(reason);
    };
    stream.on('data', (chunk: Buffer) => {
      if (this.#isClosed) return;
      try {
        for (const message of reader.read(chunk)) {
          if (!isMessage(message)) throw new Error('a frame that is no message');
          options.onMessage(message as In);
        }
      } catch (error) {
        close(error instanceof Error ? error : new Error(String(error)));
      }
    });
    stream.on('error', close);
    stream.on('end', () => close(null));
    stream.on('close', () => close(null));
  }

  /** Bytes that wait to be taken by the other side. */
  get queuedBytes(): number {
    return this.#stream.writableLength;
  }

  /**
   * Sends after everything sent before; to a closed channel nothing is sent.
   *
   * @throws FrameTooLargeError
   */
  send(message: Out): void {
    const frame = encodeFrame(message);
    if (!this.#isClosed) this.#stream.write(frame);
  }

  /** Resolves when the other side keeps up, or the channel is closed. */
  async drained(): Promise<void> {
    while (!this.#isClosed && this.#stream.writableNeedDrain) {
      const { promise, resolve } = Promise.withResolvers<void>();
      for (const event of ['drain', 'close']) this.#stream.once(event, resolve);
      await promise;
      for (const event of ['drain', 'close']) this.#stream.off(event, resolve);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#stream.destroy();
  }
}

function isMessage(message: unknown): message is { readonly type: string } {
  return typeof message === 'object' && message !== null && typeof (message as { type?: unknown }).type === 'string';
}
