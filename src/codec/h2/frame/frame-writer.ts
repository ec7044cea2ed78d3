import { noBytes } from '../../../core/bytes.ts';
import type { ByteSource } from '../../../core/connection.ts';
import { lentBytes } from '../../../core/lent-bytes.ts';
import type { CodecHost } from '../../codec.ts';
import type { ByteTarget } from '../../hpack/byte-writer.ts';
import { copiedDataBytesMax } from '../limits.ts';
import type { ErrorCode } from './error-code.ts';
import { FrameFlag, frameHeaderBytes, FrameType, writeUint32 } from './frame.ts';
import { settingBytes } from './settings.ts';
import { giveSlabBack, takeSlab, type Slab } from './slab.ts';

/** What one piece of memory is asked for at first: a head, or a batch of small frames. */
const roomMin = 512;

/**
 * Writes frames. They gather until `flush`, which gives them to the host in one piece; large DATA goes out at once,
 * without a copy, behind what was gathered.
 */
export class FrameWriter implements ByteTarget, ByteSource {
  /** The target of HPACK while a head is written: frames that wait lie in `bytes[start, length)`. */
  bytes: Uint8Array;
  length: number;
  /** Bytes given to the host. */
  writtenBytes: number;
  /** The host holds more than it wants: cleared by whom it tells that this is over. */
  isBlocked: boolean;
  private start: number;
  private slab: Slab | null;
  /** Size of the header block that was written last. */
  blockBytes: number;
  /** Where the frame header of the block lies that is being written. */
  private blockAt: number;
  private readonly host: CodecHost;
  /** Between a DATA frame's header and its payload: what the host calls back must not write there. */
  private isInFrame: boolean;

  constructor(host: CodecHost) {
    this.bytes = noBytes;
    this.length = 0;
    this.writtenBytes = 0;
    this.isBlocked = false;
    this.start = 0;
    this.slab = null;
    this.blockBytes = 0;
    this.blockAt = 0;
    this.host = host;
    this.isInFrame = false;
  }

  /** Room for `size` bytes behind `length`; what is written may move. */
  ensure(size: number): void {
    if (this.bytes.length - this.length < size) this.grow(size);
  }

  /** Bytes that wait for a flush. */
  get pendingBytes(): number {
    return this.length - this.start;
  }

  /** Flushes with the end of the turn where the host can: frames of the turn leave as one piece. */
  flushLater(): void {
    if (this.slab === null) return;
    const { host } = this;
    if (host.flushLater === undefined) this.flush();
    else host.flushLater(this);
  }

  flush(): void {
    if (this.slab === null || this.isInFrame) return;
    const { start, length, bytes } = this;
    this.release();
    if (length === start) return;
    this.writtenBytes += length - start;
    if (!this.host.write(bytes.subarray(start, length))) this.isBlocked = true;
  }

  raw(content: Uint8Array): void {
    this.ensure(content.length);
    this.bytes.set(content, this.length);
    this.length += content.length;
  }

  data(streamId: number, chunk: Uint8Array, end: boolean): void {
    const size = chunk.length;
    const isCopied = size <= copiedDataBytesMax || this.isInFrame;
    this.ensure(frameHeaderBytes + (isCopied ? size : 0));
    this.header(size, FrameType.Data, end ? FrameFlag.EndStream : 0, streamId);
    if (isCopied) {
      if (size > 0) {
        this.bytes.set(chunk, this.length);
        this.length += size;
        lentBytes.settle(chunk, size);
      }
      return;
    }
    this.sendWith(chunk);
  }

  /** A header block follows, written by HPACK into this target. */
  beginHeaders(): void {
    this.ensure(frameHeaderBytes);
    this.blockAt = this.length - this.start;
    this.length += frameHeaderBytes;
  }

  /** The block is whole: HEADERS, and as many CONTINUATION frames as it needs. Returns the number of frames. */
  endHeaders(streamId: number, end: boolean, frameBytesMax: number): number {
    const at = this.start + this.blockAt;
    const size = this.length - at - frameHeaderBytes;
    const flags = end ? FrameFlag.EndStream : 0;
    this.blockBytes = size;
    if (size <= frameBytesMax) {
      this.headerAt(at, size, FrameType.Headers, flags | FrameFlag.EndHeaders, streamId);
      return 1;
    }
    return this.splitHeaders(streamId, flags, size, frameBytesMax);
  }

  resetStream(streamId: number, code: ErrorCode): void {
    this.ensure(frameHeaderBytes + 4);
    this.header(4, FrameType.ResetStream, 0, streamId);
    this.uint32(code);
  }

  windowUpdate(streamId: number, increment: number): void {
    this.ensure(frameHeaderBytes + 4);
    this.header(4, FrameType.WindowUpdate, 0, streamId);
    this.uint32(increment);
  }

  settings(settings: readonly (readonly [number, number])[]): void {
    this.ensure(frameHeaderBytes + settings.length * settingBytes);
    this.header(settings.length * settingBytes, FrameType.Settings, 0, 0);
    for (const [identifier, value] of settings) {
      this.bytes[this.length++] = identifier >>> 8;
      this.bytes[this.length++] = identifier;
      this.uint32(value);
    }
  }

  settingsAck(): void {
    this.ensure(frameHeaderBytes);
    this.header(0, FrameType.Settings, FrameFlag.Ack, 0);
  }

  /** `content[at, at + 8)` are the opaque bytes. */
  ping(isAck: boolean, content: Uint8Array, at: number): void {
    this.ensure(frameHeaderBytes + 8);
    this.header(8, FrameType.Ping, isAck ? FrameFlag.Ack : 0, 0);
    for (let i = 0; i < 8; i++) this.bytes[this.length++] = content[at + i]!;
  }

  /** `debug` is ASCII. */
  goAway(lastStreamId: number, code: ErrorCode, debug: string): void {
    this.ensure(frameHeaderBytes + 8 + debug.length);
    this.header(8 + debug.length, FrameType.GoAway, 0, 0);
    this.uint32(lastStreamId);
    this.uint32(code);
    for (let i = 0; i < debug.length; i++) this.bytes[this.length++] = debug.charCodeAt(i);
  }

  private header(size: number, type: number, flags: number, streamId: number): void {
    this.headerAt(this.length, size, type, flags, streamId);
    this.length += frameHeaderBytes;
  }

  private headerAt(at: number, size: number, type: number, flags: number, streamId: number): void {
    const { bytes } = this;
    bytes[at] = size >>> 16;
    bytes[at + 1] = size >>> 8;
    bytes[at + 2] = size;
    bytes[at + 3] = type;
    bytes[at + 4] = flags;
    bytes[at + 5] = streamId >>> 24;
    bytes[at + 6] = streamId >>> 16;
    bytes[at + 7] = streamId >>> 8;
    bytes[at + 8] = streamId;
  }

  private uint32(value: number): void {
    writeUint32(this.bytes, this.length, value);
    this.length += 4;
  }

  /** What was gathered ends with the frame header of `payload`. */
  private sendWith(payload: Uint8Array): void {
    const { bytes, start, length } = this;
    this.isInFrame = true;
    this.release();
    this.writtenBytes += length - start + payload.length;
    this.host.write(bytes.subarray(start, length));
    if (!this.host.write(payload)) this.isBlocked = true;
    this.isInFrame = false;
  }

  /** Lets the slab go: everything in it belongs to the host. */
  private release(): void {
    const slab = this.slab!;
    slab.used = this.length;
    this.slab = null;
    this.bytes = noBytes;
    this.start = 0;
    this.length = 0;
    giveSlabBack(slab);
  }

  /** Moves the pieces of a large block apart, from the last one on, and puts frame headers between them. */
  private splitHeaders(streamId: number, flags: number, size: number, frameBytesMax: number): number {
    const frames = Math.ceil(size / frameBytesMax);
    this.ensure((frames - 1) * frameHeaderBytes);
    const at = this.start + this.blockAt;
    const first = at + frameHeaderBytes;
    for (let i = frames - 1; i > 0; i--) {
      const from = first + i * frameBytesMax;
      const length = Math.min(frameBytesMax, first + size - from);
      const to = from + i * frameHeaderBytes;
      this.bytes.copyWithin(to, from, from + length);
      const isLast = i === frames - 1;
      this.headerAt(to - frameHeaderBytes, length, FrameType.Continuation, isLast ? FrameFlag.EndHeaders : 0, streamId);
    }
    this.headerAt(at, frameBytesMax, FrameType.Headers, flags, streamId);
    this.length += (frames - 1) * frameHeaderBytes;
    return frames;
  }

  private grow(size: number): void {
    const pending = this.length - this.start;
    const before = this.slab;
    const slab = takeSlab(pending + Math.max(size, roomMin, pending));
    if (pending > 0) slab.bytes.set(this.bytes.subarray(this.start, this.length), slab.used);
    this.slab = slab;
    this.bytes = slab.bytes;
    this.start = slab.used;
    this.length = slab.used + pending;
    if (before !== null) giveSlabBack(before);
  }
}
