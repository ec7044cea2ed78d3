/** What Node's own zlib streams drive; a call does its work before it returns. */
interface NativeEngine {
  /** brotli's own: what it is to do from now on. */
  init(parameters: Uint32Array, writeState: Uint32Array, onWritten: () => void): void;
  onerror: (message: string, errno: number, code: string) => void;
  writeSync(
    operation: number,
    input: Uint8Array,
    inputAt: number,
    inputSize: number,
    output: Uint8Array,
    outputAt: number,
    outputSize: number,
  ): void;
  reset(): void;
  close(): void;
}

/** One of Node's zlib streams, of which only the engine is used. */
interface NativeStream {
  readonly _handle: NativeEngine;
  /** Room left in the output, and bytes left of the input. */
  readonly _writeState: Uint32Array;
}

const scratchBytes = 64 * 1024;

/** What a call makes is put here and copied: an engine wants its output in one place of a known size. */
const scratch = new Uint8Array(scratchBytes);

/**
 * Bytes in, bytes out, in the same call: as Envoy's libraries, and so without a queue, an order to keep or pressure to
 * hold back. One call has no more to do than one read from a socket brings. Node's streams would hop through a thread
 * pool for each chunk, and its one-shot functions end what they begin; so this drives the engine inside a stream, whose
 * calls its own `_processChunk` makes in the same way.
 */
export class ByteEngine {
  private readonly native: NativeEngine;
  /** Held: the engine is freed with its stream. */
  private readonly stream: NativeStream;
  /** What is behind the end of what was compressed may be more of it (zstd's frames). */
  private readonly hasFrames: boolean;
  private readonly parameters: Uint32Array | null;
  /** Of the last call; empty: none. */
  failure: string;
  /** What the last call has left of its input: it is behind the end of what was compressed. */
  bytesLeft: number;
  /** The last call stopped because it had made more than it was allowed to. */
  isOverLimit: boolean;

  /**
   * @param stream one of node:zlib's
   * @param parameters brotli's, without which it cannot begin anew: its own reset forgets them
   */
  constructor(stream: object, hasFrames = false, parameters: Uint32Array | null = null) {
    this.stream = stream as NativeStream;
    this.native = this.stream._handle;
    this.hasFrames = hasFrames;
    this.parameters = parameters;
    this.failure = '';
    this.bytesLeft = 0;
    this.isOverLimit = false;
    this.native.onerror = (_message, _errno, code) => void (this.failure = code);
  }

  /**
   * @param operation the format's own number for process, flush or finish
   * @param bytesMax checked at multiples of `stepBytes`: what is made beyond the first one above it is dropped
   */
  run(operation: number, input: Uint8Array, bytesMax = Infinity, stepBytes = 1): Uint8Array {
    const { native, stream } = this;
    const state = stream._writeState;
    const limit = bytesMax === Infinity ? Infinity : (Math.floor(bytesMax / stepBytes) + 1) * stepBytes;
    this.failure = '';
    this.isOverLimit = false;
    let left = input.length;
    let made = 0;
    let first: Uint8Array | null = null;
    let pieces: Uint8Array[] | null = null;
    do {
      state[0] = scratchBytes;
      state[1] = left;
      native.writeSync(operation, input, input.length - left, left, scratch, 0, scratchBytes);
      left = state[1];
      let size = scratchBytes - state[0];
      if (made + size >= limit) {
        size = limit - made;
        this.isOverLimit = true;
      }
      made += size;
      if (size > 0) {
        const piece = scratch.slice(0, size);
        if (first === null) first = piece;
        else (pieces ??= [first]).push(piece);
      }
    } while ((state[0] === 0 || (this.hasFrames && left > 0)) && this.failure === '' && !this.isOverLimit);
    this.bytesLeft = left;
    return pieces === null ? (first ?? new Uint8Array(0)) : joined(pieces, made);
  }

  /** As new. */
  reset(): void {
    if (this.parameters === null) this.native.reset();
    else this.native.init(this.parameters, this.stream._writeState, neverWritten);
  }

  close(): void {
    this.native.close();
  }
}

/** Hears of writes that another thread has done, of which there are none. */
function neverWritten(): void {}

function joined(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
