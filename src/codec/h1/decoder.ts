import { lentBytes } from '../../core/lent-bytes.ts';
import { latin1, noBytes } from '../../core/bytes.ts';
import type { Failure } from '../../core/failure.ts';
import { Headers } from '../../core/headers.ts';
import { CR, LF, SEMICOLON, SP, TAB, fieldByte, hexValue } from './characters.ts';
import { CodecError, HeadersTooLarge, InvalidCharacters } from './failures.ts';
import { FieldName, fieldNames, steeringNames } from './field-names.ts';
import { Failed, Incomplete, scanner } from './field-scanner.ts';
import { HeadBuffer } from './head-buffer.ts';
import { bodyBytesMax, chunkExtensionBytesMax, chunkSizeDigitsMax } from './limits.ts';

/** Who hears what a decoder reads. */
export interface MessageListener {
  onData(chunk: Uint8Array, end: boolean): void;
  onTrailers(trailers: Headers): void;
  /** The bytes are not HTTP/1.1; nothing follows. */
  onInvalid(failure: Failure): void;
}

/** Where a decoder stands in its message (RFC 9112 sections 2.2, 6 and 7.1). */
export const DecoderState = {
  /** Before the start line: empty lines are skipped. */
  Idle: 0,
  /** Inside a head that has not arrived in one piece. */
  Head: 1,
  Fixed: 2,
  ChunkSize: 3,
  ChunkExtension: 4,
  ChunkData: 5,
  ChunkEnd: 6,
  Trailers: 7,
  UntilClose: 8,
  /** After an upgrade or CONNECT: bytes of another protocol. */
  Raw: 9,
  /** The message has ended; `next` begins another. */
  Complete: 10,
  Invalid: 11,
} as const;
export type DecoderState = (typeof DecoderState)[keyof typeof DecoderState];

/** Inside a chunk extension: white space so far, behind the semicolon, behind the CR. */
const ExtensionStep = { Blank: 0, Text: 1, End: 2 } as const;

/** Kinds of body (RFC 9112 section 6.3) as the state that reads them. */
export type BodyState = 2 | 3 | 8 | 9 | 10;

export interface DecoderOptions {
  readonly headersBytesMax: number;
  readonly headersCountMax: number;
  readonly enableTrailers: boolean;
}

/** Reads messages out of bytes, one after the other. Its two children read the start line and judge the head. */
export abstract class Decoder {
  state: DecoderState;
  protected readonly options: DecoderOptions;
  /** `preserve_case`: heads remember how the peer spelled its names. */
  protected readonly keepsRawNames: boolean;
  private readonly skipsEmptyLines: boolean;
  /** Fields that a section may have before they are judged. */
  protected headersCountMax: number;
  protected readonly listener: MessageListener;
  /** Bytes left of a fixed body or of a chunk, or the chunk-size read so far. */
  private remaining: number;
  /** How far inside something small: digits of a chunk-size, `ExtensionStep`, or 1 after a CR that wants its LF. */
  private step: number;
  private extensionBytes: number;
  private buffer: HeadBuffer | null;
  /** Body bytes handed on in this call of `decode`. */
  private deliveredBytes: number;

  constructor(options: DecoderOptions, keepsRawNames: boolean, skipsEmptyLines: boolean, listener: MessageListener) {
    this.state = DecoderState.Idle;
    this.options = options;
    this.keepsRawNames = keepsRawNames;
    this.skipsEmptyLines = skipsEmptyLines;
    this.headersCountMax = options.headersCountMax;
    this.listener = listener;
    this.remaining = 0;
    this.step = 0;
    this.extensionBytes = 0;
    this.buffer = null;
    this.deliveredBytes = 0;
  }

  /** Reads the start line at `from`; the position after it, `Incomplete`, or `Failed` with `scanner.failure` set. */
  protected abstract scanStartLine(bytes: Uint8Array, from: number, to: number): number;
  /** The head is `bytes[from, to)` and `scanner` holds its fields: judges it, begins its body, tells the listener. */
  protected abstract deliverHead(bytes: Uint8Array, from: number, to: number): void;

  /** The start line of a head has been read that is not whole yet. */
  protected onStartLine(): void {}

  /** Reads from `chunk` until its end or the end of a message; the position reached. */
  decode(chunk: Uint8Array, from: number): number {
    this.deliveredBytes = 0;
    const reached = this.advance(chunk, from);
    // Heads and framing are copied or read; the body's bytes are for its receiver to settle.
    lentBytes.settle(chunk, reached - from - this.deliveredBytes);
    return reached;
  }

  private advance(chunk: Uint8Array, from: number): number {
    const to = chunk.length;
    let pos = from;
    while (pos < to) {
      switch (this.state) {
        case DecoderState.Idle:
          pos = this.decodeIdle(chunk, pos, to);
          break;
        case DecoderState.Head:
          pos = this.decodeBufferedHead(chunk, pos, to);
          break;
        case DecoderState.Fixed:
          pos = this.decodeFixed(chunk, pos, to);
          break;
        case DecoderState.ChunkSize:
          pos = this.decodeChunkSize(chunk, pos, to);
          break;
        case DecoderState.ChunkExtension:
          pos = this.decodeChunkExtension(chunk, pos, to);
          break;
        case DecoderState.ChunkData:
          pos = this.decodeChunkData(chunk, pos, to);
          break;
        case DecoderState.ChunkEnd:
          pos = this.decodeChunkEnd(chunk, pos);
          break;
        case DecoderState.Trailers:
          pos = this.decodeTrailers(chunk, pos, to);
          break;
        case DecoderState.UntilClose:
        case DecoderState.Raw:
          this.deliveredBytes += to - pos;
          this.listener.onData(pos === 0 ? chunk : chunk.subarray(pos), false);
          return to;
        case DecoderState.Complete:
          return pos;
        case DecoderState.Invalid:
          return to;
      }
    }
    return pos;
  }

  /** The message has been dealt with: the next byte begins another. */
  next(): void {
    this.state = DecoderState.Idle;
    this.step = 0;
    this.buffer = null;
  }

  /** Nothing more is read, not even the rest of a chunk. */
  stop(): void {
    this.state = DecoderState.Invalid;
    this.buffer = null;
  }

  /** A head has begun to arrive, at least its start line, and is not whole. */
  get isInHead(): boolean {
    return this.state === DecoderState.Head && this.buffer!.isStartLineRead;
  }

  /** Bytes of a message have arrived that is not complete. */
  get isInside(): boolean {
    return this.state !== DecoderState.Idle && this.state !== DecoderState.Complete;
  }

  protected beginBody(state: BodyState, length: number): void {
    this.state = state;
    this.remaining = state === DecoderState.Fixed ? length : 0;
    this.step = 0;
    this.extensionBytes = 0;
  }

  protected invalid(failure: Failure): void {
    this.stop();
    this.listener.onInvalid(failure);
  }

  private decodeIdle(chunk: Uint8Array, from: number, to: number): number {
    let pos = from;
    if (chunk[pos] <= SP || this.step === 1) {
      pos = this.skipEmptyLines(chunk, pos, to);
      if (pos >= to) return to;
    }
    const lineEnd = this.scanStartLine(chunk, pos, to);
    if (lineEnd > 0) {
      const end = scanner.scan(chunk, lineEnd, to, this.headersCountMax);
      if (end > 0) {
        if (end - pos > this.options.headersBytesMax) this.invalid(HeadersTooLarge);
        else this.deliverHead(chunk, pos, end);
        return end;
      }
    }
    // Not whole, or not valid: an invalid head is answered when it is whole, so that pieces make no difference.
    this.state = DecoderState.Head;
    this.buffer = new HeadBuffer(Math.max(1024, to - pos));
    return this.decodeBufferedHead(chunk, pos, to);
  }

  /** RFC 9112 section 2.2: a server ignores empty lines before a request line. `step` is 1 after a CR. */
  private skipEmptyLines(chunk: Uint8Array, from: number, to: number): number {
    for (let pos = from; pos < to; pos++) {
      const c = chunk[pos];
      if (this.step === 1 && c !== LF) return this.invalidBody('bare CR before the start line', to);
      if (c > SP) return pos;
      if (!this.skipsEmptyLines || (c !== CR && c !== LF)) return this.invalidBody('no start line', to);
      this.step = c === CR ? 1 : 0;
    }
    return to;
  }

  private decodeBufferedHead(chunk: Uint8Array, from: number, to: number): number {
    const buffer = this.buffer!;
    const { headersCountMax } = this;
    const { headersBytesMax } = this.options;
    const scannedTo = buffer.length;
    buffer.append(chunk, from, Math.min(to, from + headersBytesMax + 1 - scannedTo));
    const end = buffer.findEnd(scannedTo);
    const isStartLine = !buffer.isStartLineRead && (end > 0 || buffer.lineStart > 0);
    if (isStartLine) {
      if (this.scanStartLine(buffer.bytes, 0, buffer.length) === Failed) {
        this.invalid(scanner.failure!);
        return to;
      }
      buffer.isStartLineRead = true;
    }
    if (end > headersBytesMax || (end === Incomplete && buffer.length > headersBytesMax)) {
      this.invalid(HeadersTooLarge);
      return to;
    }
    if (end === Incomplete) {
      if (isStartLine) this.onStartLine();
      return to;
    }
    const lineEnd = this.scanStartLine(buffer.bytes, 0, end);
    if (scanner.scan(buffer.bytes, lineEnd, end, headersCountMax) === Failed) {
      this.invalid(worst(scanner.failure!, buffer.bytes, end));
      return to;
    }
    this.buffer = null;
    this.deliverHead(buffer.bytes, 0, end);
    return from + end - scannedTo;
  }

  private decodeFixed(chunk: Uint8Array, from: number, to: number): number {
    const end = Math.min(to, from + this.remaining);
    this.remaining -= end - from;
    const isLast = this.remaining === 0;
    if (isLast) this.state = DecoderState.Complete;
    this.deliveredBytes += end - from;
    this.listener.onData(from === 0 && end === to ? chunk : chunk.subarray(from, end), isLast);
    return end;
  }

  /** chunk-size = 1*HEXDIG (RFC 9112 section 7.1). */
  private decodeChunkSize(chunk: Uint8Array, from: number, to: number): number {
    let pos = from;
    while (pos < to) {
      const digit = hexValue[chunk[pos]];
      if (digit < 0) break;
      this.remaining = this.remaining * 16 + digit;
      if (this.remaining > bodyBytesMax) return this.invalidBody('chunk size beyond 2^53', to);
      if (++this.step > chunkSizeDigitsMax) return this.invalidBody('too many zeros before a chunk size', to);
      pos++;
    }
    if (pos >= to) return to;
    const c = chunk[pos];
    if (this.step === 0 || (c !== CR && c !== SEMICOLON && c !== SP && c !== TAB))
      return this.invalidBody('invalid chunk size', to);
    this.step = 0;
    this.state = DecoderState.ChunkExtension;
    return pos;
  }

  /** Extensions (RFC 9112 section 7.1.1) are ignored, up to the CRLF that must end them. */
  private decodeChunkExtension(chunk: Uint8Array, from: number, to: number): number {
    let pos = from;
    if (this.step === ExtensionStep.Blank) {
      while (pos < to && (chunk[pos] === SP || chunk[pos] === TAB)) pos++;
      if (pos < to && chunk[pos] === SEMICOLON) this.step = ExtensionStep.Text;
    }
    if (this.step === ExtensionStep.Text) while (pos < to && fieldByte[chunk[pos]] !== 0) pos++;
    this.extensionBytes += pos - from;
    if (this.extensionBytes > chunkExtensionBytesMax) return this.invalidBody('chunk extensions too long', to);
    if (pos >= to) return to;
    if (this.step !== ExtensionStep.End) {
      if (chunk[pos++] !== CR) return this.invalidBody('chunk-size line not ended by CRLF', to);
      this.step = ExtensionStep.End;
      if (pos >= to) return to;
    }
    if (chunk[pos++] !== LF) return this.invalidBody('bare CR in a chunk-size line', to);
    this.step = 0;
    if (this.remaining > 0) {
      this.state = DecoderState.ChunkData;
    } else {
      this.state = DecoderState.Trailers;
      this.buffer = null;
    }
    return pos;
  }

  private decodeChunkData(chunk: Uint8Array, from: number, to: number): number {
    const end = Math.min(to, from + this.remaining);
    this.remaining -= end - from;
    if (this.remaining === 0) this.state = DecoderState.ChunkEnd;
    this.deliveredBytes += end - from;
    this.listener.onData(from === 0 && end === to ? chunk : chunk.subarray(from, end), false);
    return end;
  }

  private decodeChunkEnd(chunk: Uint8Array, from: number): number {
    if (this.step === 0) {
      if (chunk[from] !== CR) return this.invalidBody('chunk data not ended by CRLF', chunk.length);
      this.step = 1;
    } else {
      if (chunk[from] !== LF) return this.invalidBody('chunk data not ended by CRLF', chunk.length);
      this.step = 0;
      this.state = DecoderState.ChunkSize;
    }
    return from + 1;
  }

  private decodeTrailers(chunk: Uint8Array, from: number, to: number): number {
    // The usual case: no trailers, and the empty line in one piece.
    if (this.buffer === null && from + 1 < to && chunk[from] === CR && chunk[from + 1] === LF) {
      this.state = DecoderState.Complete;
      this.listener.onData(noBytes, true);
      return from + 2;
    }
    const { headersCountMax } = this;
    const { headersBytesMax } = this.options;
    const buffer = (this.buffer ??= new HeadBuffer(256));
    const scannedTo = buffer.length;
    buffer.append(chunk, from, Math.min(to, from + headersBytesMax + 1 - scannedTo));
    const end = buffer.findEnd(scannedTo);
    if (end === Incomplete) {
      if (buffer.length <= headersBytesMax) return to;
      this.invalid(HeadersTooLarge);
      return to;
    }
    if (end > headersBytesMax) {
      this.invalid(HeadersTooLarge);
      return to;
    }
    if (scanner.scan(buffer.bytes, 0, end, headersCountMax) === Failed) {
      this.invalid(worst(scanner.failure!, buffer.bytes, end));
      return to;
    }
    this.buffer = null;
    this.state = DecoderState.Complete;
    this.deliverTrailers(buffer.bytes, end);
    return from + end - scannedTo;
  }

  private deliverTrailers(bytes: Uint8Array, end: number): void {
    if (!this.options.enableTrailers || scanner.count === 0) {
      this.listener.onData(noBytes, true);
      return;
    }
    const trailers = new Headers();
    if (this.keepsRawNames) trailers.rawNames = [];
    scanner.copyTo(trailers, latin1(bytes, 0, end), 0, FieldName.Host);
    // RFC 9110 section 6.5.1: what frames or routes a message has no place behind it.
    if (scanner.seen !== 0) for (let i = 0; i < steeringNames; i++) trailers.remove(fieldNames[i]);
    this.listener.onTrailers(trailers);
  }

  private invalidBody(detail: string, to: number): number {
    this.invalid(CodecError.with(detail));
    return to;
  }
}

/** Envoy looks for control characters in the whole head before it reads the fields. */
function worst(failure: Failure, bytes: Uint8Array, end: number): Failure {
  if (failure.kind === InvalidCharacters.kind) return failure;
  for (let i = 0; i < end; i++)
    if (fieldByte[bytes[i]] === 0 && bytes[i] !== CR && bytes[i] !== LF) return InvalidCharacters;
  return failure;
}

/** A content-length as a number; -1: not one (RFC 9112 section 6.3), or beyond what a number holds. */
export function parseContentLength(value: string): number {
  if (value.length === 0) return -1;
  let length = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
    if (length > bodyBytesMax) return -1;
  }
  return length;
}
