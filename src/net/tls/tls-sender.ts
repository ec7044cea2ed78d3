import { latin1, writeLatin1 } from '../../core/bytes.ts';
import type { Connection } from '../../core/connection.ts';
import { lentBytes } from '../../core/lent-bytes.ts';
import type { Pointer } from './open-ssl/open-ssl.ts';
import { recordBytesMax, type TlsEngine } from './tls-engine.ts';
import type { TlsTurns } from './tls-tools.ts';

/** Chunks up to this size join the text around them: a copy is cheaper than one more record. */
const joinedBytesMax = 4096;

/** The writing half of a TLS connection: gathers, encrypts, and counts what waits. */
export class TlsSender {
  /** The user was told to wait; `TlsConnection` tells it when to go on. */
  isAboveHighWatermark: boolean;
  hasNotified: boolean;
  private readonly engine: TlsEngine;
  private readonly ssl: Pointer;
  private readonly raw: Connection;
  private readonly turns: TlsTurns;
  /** Gathered until the turn ends. */
  private text: string;
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
    this.early = null;
    this.earlyBytes = 0;
  }

  get hasEarly(): boolean {
    return this.early !== null;
  }

  get bufferedBytes(): number {
    return this.text.length + this.earlyBytes + this.raw.bufferedBytes;
  }

  /** True: there is something to flush. */
  write(chunk: Uint8Array): boolean {
    const size = chunk.length;
    if (size > joinedBytesMax) {
      this.encrypt(chunk);
      return false;
    }
    this.text += latin1(chunk, 0, size);
    lentBytes.settle(chunk, size);
    return true;
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
      else this.encrypt(piece);
    }
  }

  flush(): void {
    if (this.text !== '') this.encrypt(null);
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
    this.early = null;
    this.earlyBytes = 0;
  }

  private encrypt(chunk: Uint8Array | null): void {
    const { ssl } = this.engine;
    const { bytes: staging, address } = this.engine.staging;
    let { text } = this;
    this.text = '';
    while (text.length > staging.length - recordBytesMax) {
      writeLatin1(staging, text.slice(0, recordBytesMax), 0);
      text = text.slice(recordBytesMax);
      ssl.SSL_write(this.ssl, address, recordBytesMax);
    }
    let size = text.length;
    if (size > 0) writeLatin1(staging, text, 0);
    let at = 0;
    if (chunk !== null && size > 0) {
      // The first bytes share the record of the text before them.
      at = Math.min(chunk.length, recordBytesMax - (size % recordBytesMax));
      staging.set(at === chunk.length ? chunk : chunk.subarray(0, at), size);
      size += at;
    }
    if (size > 0) ssl.SSL_write(this.ssl, address, size);
    if (chunk !== null) {
      const rest = chunk.length - at;
      if (rest > 0) ssl.SSL_write(this.ssl, ssl.addressOf(chunk) + BigInt(at), rest);
      lentBytes.settle(chunk, chunk.length);
    }
    this.sendOutput();
  }
}
