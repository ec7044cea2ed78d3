import { noBytes } from '../../../core/bytes.ts';
import type { Failure } from '../../../core/failure.ts';
import { lentBytes } from '../../../core/lent-bytes.ts';
import { HeaderBlockFlood, InboundFramesFlood } from '../failures.ts';
import { continuationFramesMax, settingsPerFrameMax } from '../limits.ts';
import { ErrorCode } from './error-code.ts';
import {
  clientPreface,
  FrameFlag,
  frameBytesDefault,
  frameHeaderBytes,
  FrameType,
  readUint31,
  readUint32,
} from './frame.ts';
import { settingBytes } from './settings.ts';

/** Who hears what a reader finds. Lengths and identifiers have been checked where the frame's own type tells how. */
export interface FrameListener {
  /** A frame begins; every one but what is refused at once. */
  onFrame(type: number, flags: number, length: number): void;
  /** A DATA frame begins. `payloadBytes` counts against windows, `dataBytes` is without padding. False: skip it. */
  onData(streamId: number, payloadBytes: number, dataBytes: number, end: boolean): boolean;
  /** A part of its data; `end` with the last one. Empty only with `end`. */
  onDataPiece(chunk: Uint8Array, end: boolean): void;
  /** A whole header block is `bytes[start, to)`. `dependsOn`: of the frame's priority; -1: none. */
  onHeaders(streamId: number, end: boolean, dependsOn: number, bytes: Uint8Array, start: number, to: number): void;
  /** A header block has begun that needs CONTINUATION frames. */
  onHeadersBegun(streamId: number): void;
  onPriority(streamId: number, dependsOn: number): void;
  onResetStream(streamId: number, code: number): void;
  onSettings(bytes: Uint8Array, start: number, to: number): void;
  onSettingsAck(): void;
  /** Eight opaque bytes from `start`. */
  onPing(isAck: boolean, bytes: Uint8Array, start: number): void;
  onGoAway(lastStreamId: number, code: number): void;
  onWindowUpdate(streamId: number, increment: number): void;
  /** The frame is wrong for its stream only. */
  onStreamError(streamId: number, code: ErrorCode, detail: string): void;
  /** The connection cannot go on; the reader has stopped. */
  onConnectionError(code: ErrorCode, detail: string): void;
  /** The same, for more than a peer should ask for. */
  onFlood(failure: Failure): void;
}

/** Where a reader stands. */
const Step = {
  Preface: 0,
  Header: 1,
  /** A payload that is needed whole. */
  Payload: 2,
  PadLength: 3,
  Data: 4,
  /** Padding, or a payload that nobody wants. */
  Skip: 5,
  Stopped: 6,
} as const;
type Step = (typeof Step)[keyof typeof Step];

/**
 * Reads frames out of bytes that come in any pieces. DATA is handed on as it comes, without a copy; every other
 * payload is read where it lies if it lies in one piece.
 */
export class FrameReader {
  private readonly listener: FrameListener;
  private readonly blockBytesMax: number;
  private readonly dataBytesMax: number;
  private readonly blockFramesMax: number;
  private step: Step;
  /** Bytes of the preface, of a frame header or of `partial` that are there. */
  private gathered: number;
  private type: number;
  private flags: number;
  private length: number;
  private streamId: number;
  /** Bytes of the payload that are to come; in step Data without the padding behind them. */
  private remaining: number;
  private padding: number;
  /** A payload, or a frame header, that comes in pieces. */
  private partial: Uint8Array;
  private hasSettings: boolean;
  /** The header block that is open, and of what stream; 0: none. */
  private blockStreamId: number;
  private blockEnd: boolean;
  private blockDependsOn: number;
  private block: Uint8Array;
  private blockBytes: number;
  private blockFrames: number;
  /** Bytes of DATA handed on in this call of `read`. */
  private deliveredBytes: number;

  /** `dataBytesMax`: of a DATA frame, which is handed on as it comes; others are needed whole. */
  constructor(
    listener: FrameListener,
    expectsPreface: boolean,
    blockBytesMax: number,
    dataBytesMax: number = frameBytesDefault,
  ) {
    this.listener = listener;
    this.blockBytesMax = blockBytesMax;
    this.dataBytesMax = dataBytesMax;
    this.blockFramesMax = continuationFramesMax + Math.ceil(blockBytesMax / frameBytesDefault);
    this.step = expectsPreface ? Step.Preface : Step.Header;
    this.gathered = 0;
    this.type = 0;
    this.flags = 0;
    this.length = 0;
    this.streamId = 0;
    this.remaining = 0;
    this.padding = 0;
    this.partial = noBytes;
    this.hasSettings = false;
    this.blockStreamId = 0;
    this.blockEnd = false;
    this.blockDependsOn = -1;
    this.block = noBytes;
    this.blockBytes = 0;
    this.blockFrames = 0;
    this.deliveredBytes = 0;
  }

  read(chunk: Uint8Array): void {
    const to = chunk.length;
    let pos = 0;
    this.deliveredBytes = 0;
    while (pos < to && this.step !== Step.Stopped) {
      switch (this.step) {
        case Step.Header:
          pos = this.readHeader(chunk, pos, to);
          break;
        case Step.Payload:
          pos = this.readPayload(chunk, pos, to);
          break;
        case Step.Data:
          pos = this.readData(chunk, pos, to);
          break;
        case Step.PadLength:
          this.beginData(chunk[pos++]);
          break;
        case Step.Skip:
          pos = this.skip(pos, to);
          break;
        case Step.Preface:
          pos = this.readPreface(chunk, pos, to);
          break;
      }
    }
    // Everything but the data has been read or copied; the data is for its receiver to settle.
    lentBytes.settle(chunk, to - this.deliveredBytes);
  }

  /** Nothing more is read, not even the rest of a chunk. */
  stop(): void {
    this.step = Step.Stopped;
    this.partial = noBytes;
    this.block = noBytes;
  }

  private readPreface(chunk: Uint8Array, from: number, to: number): number {
    let pos = from;
    while (pos < to && this.gathered < clientPreface.length)
      if (chunk[pos++] !== clientPreface[this.gathered++])
        return this.fail(ErrorCode.ProtocolError, 'bad client magic', to);
    if (this.gathered === clientPreface.length) {
      this.gathered = 0;
      this.step = Step.Header;
    }
    return pos;
  }

  private readHeader(chunk: Uint8Array, from: number, to: number): number {
    if (this.gathered === 0 && to - from >= frameHeaderBytes) {
      this.beginFrame(chunk, from);
      return from + frameHeaderBytes;
    }
    if (this.gathered === 0) this.partial = new Uint8Array(frameHeaderBytes);
    const end = Math.min(to, from + frameHeaderBytes - this.gathered);
    for (let pos = from; pos < end; pos++) this.partial[this.gathered++] = chunk[pos]!;
    if (this.gathered === frameHeaderBytes) {
      this.gathered = 0;
      this.beginFrame(this.partial, 0);
    }
    return end;
  }

  private beginFrame(bytes: Uint8Array, at: number): void {
    const length = (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
    const type = bytes[at + 3];
    const flags = bytes[at + 4];
    const streamId = readUint31(bytes, at + 5);
    this.length = length;
    this.type = type;
    this.flags = flags;
    this.streamId = streamId;
    this.remaining = length;
    if (length > frameBytesDefault && (type !== FrameType.Data || length > this.dataBytesMax)) {
      this.fail(ErrorCode.FrameSizeError, 'frame too large', 0);
      return;
    }
    if (!this.hasSettings && !this.beginsWithSettings()) return;
    if (this.blockStreamId !== 0 && (type !== FrameType.Continuation || streamId !== this.blockStreamId)) {
      this.fail(ErrorCode.ProtocolError, 'a frame inside a header block', 0);
      return;
    }
    this.listener.onFrame(type, flags, length);
    if (this.step === Step.Stopped) return;
    if (type === FrameType.Data) {
      this.beginDataFrame();
      return;
    }
    if (type > FrameType.Continuation) {
      this.passOver(length);
      return;
    }
    if (!this.isSizeRight()) return;
    if (length === 0) this.readWhole(bytes, 0);
    else {
      this.step = Step.Payload;
      this.gathered = 0;
    }
  }

  /** RFC 9113 section 3.4: the first frame of both sides is SETTINGS, and no acknowledgement. */
  private beginsWithSettings(): boolean {
    this.hasSettings = true;
    if (this.type === FrameType.Settings && (this.flags & FrameFlag.Ack) === 0) return true;
    this.fail(ErrorCode.ProtocolError, 'no SETTINGS at the start', 0);
    return false;
  }

  /** Lengths and identifiers that a type prescribes (RFC 9113 section 6). */
  private isSizeRight(): boolean {
    const { type, length, streamId } = this;
    switch (type) {
      case FrameType.Settings:
        if (streamId !== 0) return this.refuse('SETTINGS on a stream');
        if (length % settingBytes !== 0 || (length !== 0 && (this.flags & FrameFlag.Ack) !== 0))
          return this.refuseSize('SETTINGS');
        if (length > settingsPerFrameMax * settingBytes) {
          this.flooded(InboundFramesFlood.with('too many settings'));
          return false;
        }
        return true;
      case FrameType.Ping:
        if (streamId !== 0) return this.refuse('PING on a stream');
        return length === 8 || this.refuseSize('PING');
      case FrameType.GoAway:
        if (streamId !== 0) return this.refuse('GOAWAY on a stream');
        return length >= 8 || this.refuseSize('GOAWAY');
      case FrameType.WindowUpdate:
        return length === 4 || this.refuseSize('WINDOW_UPDATE');
      case FrameType.ResetStream:
        if (streamId === 0) return this.refuse('RST_STREAM without a stream');
        return length === 4 || this.refuseSize('RST_STREAM');
      case FrameType.Priority:
        if (streamId === 0) return this.refuse('PRIORITY without a stream');
        if (length === 5) return true;
        this.passOver(length);
        this.listener.onStreamError(streamId, ErrorCode.FrameSizeError, 'PRIORITY of a wrong size');
        return false;
      case FrameType.PushPromise:
        return this.refuse('PUSH_PROMISE');
      case FrameType.Continuation:
        return this.blockStreamId !== 0 || this.refuse('CONTINUATION without a header block');
      default:
        return streamId !== 0 || this.refuse('HEADERS without a stream');
    }
  }

  private readPayload(chunk: Uint8Array, from: number, to: number): number {
    const { length } = this;
    if (this.gathered === 0 && to - from >= length) {
      this.readWhole(chunk, from);
      return from + length;
    }
    if (this.gathered === 0) this.partial = new Uint8Array(length);
    const end = Math.min(to, from + length - this.gathered);
    this.partial.set(chunk.subarray(from, end), this.gathered);
    this.gathered += end - from;
    if (this.gathered === length) {
      const { partial } = this;
      this.gathered = 0;
      this.partial = noBytes;
      this.readWhole(partial, 0);
    }
    return end;
  }

  /** The payload is `bytes[at, at + length)`. */
  private readWhole(bytes: Uint8Array, at: number): void {
    const { listener, streamId } = this;
    this.step = Step.Header;
    switch (this.type) {
      case FrameType.Headers:
        this.readHeadersFrame(bytes, at);
        break;
      case FrameType.Continuation:
        this.readContinuation(bytes, at);
        break;
      case FrameType.WindowUpdate:
        listener.onWindowUpdate(streamId, readUint31(bytes, at));
        break;
      case FrameType.Settings:
        if ((this.flags & FrameFlag.Ack) !== 0) listener.onSettingsAck();
        else listener.onSettings(bytes, at, at + this.length);
        break;
      case FrameType.Ping:
        listener.onPing((this.flags & FrameFlag.Ack) !== 0, bytes, at);
        break;
      case FrameType.ResetStream:
        listener.onResetStream(streamId, readUint32(bytes, at));
        break;
      case FrameType.Priority:
        listener.onPriority(streamId, readUint31(bytes, at));
        break;
      case FrameType.GoAway:
        listener.onGoAway(readUint31(bytes, at), readUint32(bytes, at + 4));
        break;
      default:
    }
  }

  private readHeadersFrame(bytes: Uint8Array, at: number): void {
    const { flags } = this;
    let start = at;
    let to = at + this.length;
    let dependsOn = -1;
    if ((flags & (FrameFlag.Padded | FrameFlag.Priority)) !== 0) {
      if ((flags & FrameFlag.Padded) !== 0) to -= start < to ? bytes[start++] : to;
      if ((flags & FrameFlag.Priority) !== 0) {
        if (start + 5 <= to) dependsOn = readUint31(bytes, start);
        start += 5;
      }
      if (start > to) {
        this.fail(ErrorCode.ProtocolError, 'HEADERS with more padding than content', 0);
        return;
      }
    }
    const end = (flags & FrameFlag.EndStream) !== 0;
    if ((flags & FrameFlag.EndHeaders) !== 0) {
      this.listener.onHeaders(this.streamId, end, dependsOn, bytes, start, to);
      return;
    }
    this.blockStreamId = this.streamId;
    this.blockEnd = end;
    this.blockDependsOn = dependsOn;
    this.blockBytes = 0;
    this.blockFrames = 0;
    this.block = new Uint8Array(Math.max(1024, 2 * (to - start)));
    this.gatherBlock(bytes, start, to);
    this.listener.onHeadersBegun(this.streamId);
  }

  private readContinuation(bytes: Uint8Array, at: number): void {
    const to = at + this.length;
    if (++this.blockFrames > this.blockFramesMax || this.blockBytes + this.length > this.blockBytesMax) {
      this.flooded(HeaderBlockFlood);
      return;
    }
    this.gatherBlock(bytes, at, to);
    if ((this.flags & FrameFlag.EndHeaders) === 0) return;
    const { block, blockStreamId } = this;
    this.blockStreamId = 0;
    this.block = noBytes;
    this.listener.onHeaders(blockStreamId, this.blockEnd, this.blockDependsOn, block, 0, this.blockBytes);
  }

  private gatherBlock(bytes: Uint8Array, start: number, to: number): void {
    const size = this.blockBytes + to - start;
    if (size > this.block.length) {
      const larger = new Uint8Array(2 * size);
      larger.set(this.block.subarray(0, this.blockBytes));
      this.block = larger;
    }
    this.block.set(bytes.subarray(start, to), this.blockBytes);
    this.blockBytes = size;
  }

  private beginDataFrame(): void {
    if (this.streamId === 0) {
      this.fail(ErrorCode.ProtocolError, 'DATA without a stream', 0);
    } else if ((this.flags & FrameFlag.Padded) === 0) {
      this.padding = 0;
      this.acceptData();
    } else if (this.length === 0) {
      this.fail(ErrorCode.FrameSizeError, 'DATA without its pad length', 0);
    } else {
      this.step = Step.PadLength;
    }
  }

  private beginData(padding: number): void {
    if (padding >= this.length) {
      this.fail(ErrorCode.ProtocolError, 'DATA with more padding than content', 0);
      return;
    }
    this.padding = padding;
    this.remaining = this.length - 1 - padding;
    this.acceptData();
  }

  private acceptData(): void {
    const { listener, remaining } = this;
    const end = (this.flags & FrameFlag.EndStream) !== 0;
    if (!listener.onData(this.streamId, this.length, remaining, end)) {
      if (this.step !== Step.Stopped) this.passOver(remaining + this.padding);
    } else if (remaining > 0) {
      this.step = Step.Data;
    } else {
      this.passOver(this.padding);
      if (end) listener.onDataPiece(noBytes, true);
    }
  }

  private readData(chunk: Uint8Array, from: number, to: number): number {
    const end = Math.min(to, from + this.remaining);
    this.remaining -= end - from;
    this.deliveredBytes += end - from;
    const isLast = this.remaining === 0;
    if (isLast) this.passOver(this.padding);
    const piece = from === 0 && end === to ? chunk : chunk.subarray(from, end);
    this.listener.onDataPiece(piece, isLast && (this.flags & FrameFlag.EndStream) !== 0);
    return end;
  }

  private passOver(size: number): void {
    this.remaining = size;
    this.step = size > 0 ? Step.Skip : Step.Header;
    this.gathered = 0;
  }

  private skip(from: number, to: number): number {
    const end = Math.min(to, from + this.remaining);
    this.remaining -= end - from;
    if (this.remaining === 0) this.step = Step.Header;
    return end;
  }

  private refuse(detail: string): false {
    this.fail(ErrorCode.ProtocolError, detail, 0);
    return false;
  }

  private refuseSize(frame: string): false {
    this.fail(ErrorCode.FrameSizeError, `${frame} of a wrong size`, 0);
    return false;
  }

  private flooded(failure: Failure): void {
    this.stop();
    this.listener.onFlood(failure);
  }

  private fail(code: ErrorCode, detail: string, to: number): number {
    this.stop();
    this.listener.onConnectionError(code, detail);
    return to;
  }
}
