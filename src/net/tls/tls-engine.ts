import { latin1 } from '../../core/bytes.ts';
import type { Connection } from '../../core/connection.ts';
import { lentBytes } from '../../core/lent-bytes.ts';
import type { OpenSsl, Pointer } from './open-ssl/open-ssl.ts';
import { openOpenSsl } from './open-ssl/open-ssl.ts';
import { Memory, RecycledMemory } from '../recycled-memory.ts';
import { TlsReader } from './tls-reader.ts';
import type { TlsConnection } from './tls-connection.ts';
import type { TlsTurns } from './tls-tools.ts';

/** RFC 8446 section 5.1. */
export const recordBytesMax = 16 * 1024;

/** Of ciphertext that is decrypted at once: what one read in bulk takes, so that it is passed on in one piece. */
export const sliceBytesMax = 256 * 1024;

/** Of a slice that is no bulk: what is kept of it must not hold the memory of a large one. */
const smallSliceBytesMax = 32 * 1024;

/** Plain text of a slice and of the incomplete record that waited for it. */
const plainBytesOf = (sliceBytes: number): number => sliceBytes + 2 * recordBytesMax;

/** Records up to this size are copied in and out by way of memory whose address is known. */
const shortBytesMax = 4096;

/** Of encrypted bytes that leave at once: some records with what is around them, or what one read in bulk becomes. */
const outputBytes = 80 * 1024;
const bulkOutputBytes = 320 * 1024;

const bioReset = 1;

/**
 * What the TLS connections of one thread share. Everything is synchronous: bytes go in, are worked on, and what comes of it
 * goes out before anybody else's turn. So one pair of memory BIOs serves all, and a connection has no buffers of its own in
 * OpenSSL but for a record that has not arrived whole.
 */
export class TlsEngine {
  readonly ssl: OpenSsl;
  /** What is to be decrypted, and what was encrypted. Empty between two calls. */
  private readonly input: Pointer;
  private readonly output: Pointer;
  /** Where text becomes bytes before it is encrypted. */
  readonly staging: Memory;
  private readonly short: Memory;
  private readonly outputs: RecycledMemory;
  private readonly bulkOutputs: RecycledMemory;
  private readonly plains: RecycledMemory;
  private readonly bulkPlains: RecycledMemory;
  readonly reader: TlsReader;
  /** Whose call into OpenSSL is under way: what its callbacks are about. */
  current: TlsConnection | null;

  constructor() {
    this.ssl = openOpenSsl();
    this.input = this.ssl.BIO_new(this.ssl.BIO_s_mem());
    this.output = this.ssl.BIO_new(this.ssl.BIO_s_mem());
    const addressOf = (bytes: Uint8Array): Pointer => this.ssl.addressOf(bytes);
    this.staging = new Memory(null, recordBytesMax, addressOf);
    this.short = new Memory(null, shortBytesMax, addressOf);
    this.outputs = new RecycledMemory(outputBytes, addressOf);
    this.bulkOutputs = new RecycledMemory(bulkOutputBytes, addressOf);
    this.plains = new RecycledMemory(plainBytesOf(smallSliceBytesMax), addressOf);
    this.bulkPlains = new RecycledMemory(plainBytesOf(sliceBytesMax), addressOf);
    this.reader = new TlsReader(this);
    this.current = null;
  }

  /** An SSL object on this thread's BIOs. */
  open(context: Pointer): Pointer {
    const { ssl } = this;
    const opened = ssl.SSL_new(context);
    if (opened === 0n) throw new Error('OpenSSL has no memory for another connection');
    ssl.BIO_up_ref(this.input);
    ssl.BIO_up_ref(this.output);
    ssl.SSL_set_bio(opened, this.input, this.output);
    return opened;
  }

  /** Ciphertext that was received. */
  put(bytes: Uint8Array): void {
    const size = bytes.length;
    if (size > shortBytesMax) {
      this.ssl.BIO_write(this.input, this.ssl.addressOf(bytes), size);
    } else {
      this.short.bytes.set(bytes);
      this.ssl.BIO_write(this.input, this.short.address, size);
    }
  }

  /** Everything that was put in has been looked at. */
  get isInputEmpty(): boolean {
    return this.ssl.BIO_ctrl_pending(this.input) === 0;
  }

  /** Ciphertext that OpenSSL has not taken; null: none. */
  takeBack(): Buffer | null {
    const size = this.ssl.BIO_ctrl_pending(this.input);
    if (size === 0) return null;
    const bytes = Buffer.allocUnsafeSlow(size);
    this.ssl.BIO_read(this.input, this.ssl.addressOf(bytes), size);
    return bytes;
  }

  /** Gives `to` the ciphertext that is to be sent. False: it has enough. */
  sendOutput(to: Connection, turns: TlsTurns): boolean {
    const { output, short, ssl } = this;
    const size = ssl.BIO_ctrl_pending(output);
    if (size === 0) return true;
    if (size <= shortBytesMax) {
      ssl.BIO_read(output, short.address, size);
      return to.writeLatin1(latin1(short.bytes, 0, size));
    }
    return this.lendOutput(to, turns, size);
  }

  /** In memory that the connection below has mostly given to the kernel when this returns. */
  private lendOutput(to: Connection, turns: TlsTurns, size: number): boolean {
    const { ssl } = this;
    const memory = (size <= outputBytes ? this.outputs : this.bulkOutputs).take(size);
    const { bytes, address } = memory;
    ssl.BIO_read(this.output, address, size);
    lentBytes.lendInside(bytes, memory);
    const hasRoom = to.write(bytes.subarray(0, size));
    turns.leave();
    if (lentBytes.endInside(size)) memory.giveBack();
    return hasRoom;
  }

  /** Whoever failed leaves nothing behind for others. */
  clear(): void {
    this.ssl.BIO_ctrl(this.input, bioReset, 0n, 0n);
    this.ssl.BIO_ctrl(this.output, bioReset, 0n, 0n);
    this.ssl.ERR_clear_error();
  }

  /** What the plain text of so much ciphertext (0: of what OpenSSL still has) is read to. */
  plainFor(sliceBytes: number): Memory {
    return (sliceBytes <= smallSliceBytesMax ? this.plains : this.bulkPlains).take();
  }
}

let engine: TlsEngine | null = null;

/** This thread's. Throws where Node has no FFI. */
export function tlsEngine(): TlsEngine {
  engine ??= new TlsEngine();
  return engine;
}
