import { latin1, writeLatin1 } from '../../core/bytes.ts';
import type { Connection } from '../../core/connection.ts';
import { lentBytes } from '../../core/lent-bytes.ts';
import type { Pointer } from './open-ssl/open-ssl.ts';
import type { Flushable } from '../loop.ts';
import { recordBytesMax, sliceBytesMax, type TlsEngine } from './tls-engine.ts';
import type { TlsTurns } from './tls-tools.ts';

/** Chunks up to this size join the text around them: a copy is cheaper than one more record. */
const joinedBytesMax = 4096;

/** Most connections gather text only. */
const none: (Uint8Array | string)[] = [];

/**
 * The writing half of a TLS connection: gathers, encrypts, and counts what waits. What was gathered becomes as few records
 * as hold it, and leaves in one piece.
 */
export class TlsSender implements Flushable {
  /** The user was told to wait; `TlsConnection` tells it when to go on. */
  isAboveHighWatermark: boolean;
  hasNotified: boolean;
  private readonly engine: TlsEngine;
  private readonly ssl: Pointer;
  private readonly raw: Connection;
  private readonly turns: TlsTurns;
  /** Gathered until the turn ends, or the event where some of it is lent: text, and what stands before it. */
  private text: string;
  private pieces: (Uint8Array | string)[];
  private pieceBytes: number;
  /** All that was written before the handshake is complete; null: nothing. */
  private early: (Uint8Array | string)[] | null;
  private earlyBytes: number;

  constructor(engine: TlsEngine, ssl: Pointer, raw: Connection, turns: TlsTurns) {
    this.isAboveHighWatermark = false;
    this.hasNotified = false;
    this.engine = engine;
    this.ssl = ssl;
    this.raw = raw;
    this.turns = turns;
    this.text = '';
    this.pieces = none;
    this.pieceBytes = 0;
    this.early = null;
    this.earlyBytes = 0;
  }

  get hasEarly(): boolean {
    return this.early !== null;
  }

  get bufferedBytes(): number {
    return this.text.length + this.pieceBytes + this.earlyBytes + this.raw.bufferedBytes;
  }

  write(chunk: Uint8Array): void {
    const size = chunk.length;
    if (size > joinedBytesMax) {
      this.gather(chunk);
      return;
    }
    this.text += latin1(chunk, 0, size);
    lentBytes.settle(chunk, size);
  }

  writeLatin1(text: string): void {
    this.text = this.text === '' ? text : this.text + text;
  }

  writeEarly(piece: Uint8Array | string): void {
    if (typeof piece !== 'string') lentBytes.keep(piece);
    this.early ??= [];
    this.early.push(piece);
    this.earlyBytes += piece.length;
  }

  /** The handshake is complete. */
  sendEarly(): void {
    const { early } = this;
    if (early === null) return;
    this.early = null;
    this.earlyBytes = 0;
    for (const piece of early) {
      if (typeof piece === 'string') this.text += piece;
      else this.gather(piece);
    }
    this.flush();
  }

  /** Encrypts what was gathered, and has it sent. */
  flush(): void {
    if (this.pieceBytes > 0) {
      this.flushPieces();
    } else if (this.text !== '') {
      const { text } = this;
      this.text = '';
      const staged = this.stageText(text, 0);
      if (staged > 0) this.encryptStaged(staged);
      this.sendOutput();
    }
  }

  /** As `flush`, where not all is text. */
  private flushPieces(): void {
    const { pieces, text } = this;
    this.pieces = none;
    this.pieceBytes = 0;
    this.text = '';
    let staged = 0;
    for (let i = 0; i < pieces.length; i++) {
      const piece = pieces[i];
      const isLast = text === '' && i === pieces.length - 1;
      staged = typeof piece === 'string' ? this.stageText(piece, staged) : this.stage(piece, staged, isLast);
    }
    staged = this.stageText(text, staged);
    if (staged > 0) this.encryptStaged(staged);
    this.sendOutput();
  }

  /** False: the user is to wait. */
  hasRoom(): boolean {
    if (!this.isAboveHighWatermark && !this.hasRoomBelow) this.isAboveHighWatermark = true;
    return !this.isAboveHighWatermark;
  }

  get hasRoomBelow(): boolean {
    const limit = this.raw.bufferLimit;
    return limit === 0 || this.bufferedBytes <= limit;
  }

  /** close_notify. */
  notify(): void {
    if (this.hasNotified) return;
    this.hasNotified = true;
    const { ssl } = this.engine;
    ssl.ERR_clear_error();
    ssl.SSL_shutdown(this.ssl);
    this.engine.sendOutput(this.raw, this.turns);
  }

  /** What OpenSSL wants to be sent. */
  sendOutput(): void {
    if (!this.engine.sendOutput(this.raw, this.turns)) this.isAboveHighWatermark = true;
  }

  discard(): void {
    this.text = '';
    this.pieces = none;
    this.pieceBytes = 0;
    this.early = null;
    this.earlyBytes = 0;
  }

  private gather(chunk: Uint8Array): void {
    const size = chunk.length;
    if (this.pieceBytes > 0 && this.pieceBytes + size > sliceBytesMax) this.flush();
    if (this.pieces === none) this.pieces = [];
    if (this.text !== '') this.pieces.push(this.text);
    this.pieces.push(chunk);
    this.pieceBytes += this.text.length + size;
    this.text = '';
    if (this.pieceBytes >= sliceBytesMax) this.flush();
    else if (lentBytes.isLent(chunk)) this.turns.markUrgent(this);
  }

  /** Behind `staged` bytes. Whole records are encrypted; returns the bytes that are staged then. */
  private stage(chunk: Uint8Array, staged: number, isLast: boolean): number {
    const size = chunk.length;
    let at = 0;
    if (staged > 0) {
      at = Math.min(size, recordBytesMax - staged);
      this.engine.staging.bytes.set(at === size ? chunk : chunk.subarray(0, at), staged);
      if (staged + at === recordBytesMax) this.encryptStaged(recordBytesMax);
    }
    const left = (size - at) % recordBytesMax;
    const direct = isLast ? size - at : size - at - left;
    if (direct > 0) {
      const { ssl } = this.engine;
      ssl.SSL_write(this.ssl, ssl.addressOf(chunk) + BigInt(at), direct);
    }
    const rest = at + direct;
    if (rest < size) this.engine.staging.bytes.set(chunk.subarray(rest), 0);
    lentBytes.settle(chunk, size);
    if (rest < size) return size - rest;
    return at === size && staged + at < recordBytesMax ? staged + at : 0;
  }

  private stageText(text: string, staged: number): number {
    if (staged + text.length < recordBytesMax) {
      writeLatin1(this.engine.staging.bytes, text, staged);
      return staged + text.length;
    }
    let size = staged;
    for (let at = 0; at < text.length;) {
      const to = Math.min(text.length, at + recordBytesMax - size);
      writeLatin1(this.engine.staging.bytes, at === 0 && to === text.length ? text : text.slice(at, to), size);
      size += to - at;
      at = to;
      if (size < recordBytesMax) continue;
      this.encryptStaged(size);
      size = 0;
    }
    return size;
  }

  private encryptStaged(size: number): void {
    this.engine.ssl.SSL_write(this.ssl, this.engine.staging.address, size);
  }
}
