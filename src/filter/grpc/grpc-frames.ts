/** Flags and length in front of each message (gRPC over HTTP/2, "Length-Prefixed-Message"). */
export const frameHeadBytes = 5;

/** What a frame is to the one who reads it. */
export const FrameKind = {
  Message: 1,
  /** Something else, such as the end of a stream: not counted. */
  Other: 0,
  /** There should be no frame: nothing is read any further. */
  Excess: -1,
} as const;
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

/**
 * Follows the frames of a body, however it is split, and counts the messages: each from its first byte on, as Envoy's
 * `Grpc::FrameInspector`. Nothing is kept of what is in them; who wants more overrides the `on…` methods.
 */
export class GrpcFrameReader {
  /** Messages that have begun. */
  messages: number;
  private headSeen: number;
  /** Bytes of the message that are still to come. */
  private left: number;

  constructor() {
    this.messages = 0;
    this.headSeen = 0;
    this.left = 0;
  }

  /** Returns how many messages begin in `chunk`. */
  read(chunk: Uint8Array): number {
    const before = this.messages;
    const size = chunk.length;
    let at = 0;
    while (at < size) {
      if (this.headSeen < frameHeadBytes) {
        if (!this.readHead(chunk[at], ++at)) break;
        continue;
      }
      const end = Math.min(size, at + this.left);
      this.onBytes(chunk, at, end);
      this.left -= end - at;
      at = end;
      if (this.left === 0) this.endFrame(at);
    }
    return this.messages - before;
  }

  /** A frame begins. */
  protected onFrame(_flags: number): FrameKind {
    return FrameKind.Message;
  }

  /** `chunk[start, end)` belongs to the frame that began last. */
  protected onBytes(_chunk: Uint8Array, _start: number, _end: number): void {}

  /** The frame that began last is whole; `at` is where, in the chunk, the next one would begin. */
  protected onFrameEnd(_at: number): void {}

  /** One byte of a frame's head, in front of `next`. False: there should be no frame. */
  private readHead(byte: number, next: number): boolean {
    if (this.headSeen === 0) {
      const kind = this.onFrame(byte);
      if (kind === FrameKind.Excess) return false;
      this.messages += kind;
    } else this.left = this.left * 256 + byte;
    this.headSeen++;
    if (this.headSeen === frameHeadBytes && this.left === 0) this.endFrame(next);
    return true;
  }

  private endFrame(at: number): void {
    this.headSeen = 0;
    this.onFrameEnd(at);
  }
}

/** Writes a frame's head to the first bytes of `frame`. */
export function writeFrameHead(frame: Uint8Array, flags: number, length: number): void {
  frame[0] = flags;
  frame[1] = length >>> 24;
  frame[2] = length >>> 16;
  frame[3] = length >>> 8;
  frame[4] = length;
}
