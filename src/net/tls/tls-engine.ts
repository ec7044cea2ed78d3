import type { OpenSsl, Pointer } from './open-ssl/open-ssl.ts';
import { openOpenSsl } from './open-ssl/open-ssl.ts';
import type { TlsConnection } from './tls-connection.ts';

/** RFC 8446 section 5.1. */
export const recordBytesMax = 16 * 1024;

/** Plain text of one slice of ciphertext: what the slice has, and what was waiting for it. */
const plainBytes = 64 * 1024;

/** So that a slice and the incomplete record before it never have more plain text than fits. */
export const sliceBytesMax = plainBytes - 2 * recordBytesMax;

/** Ciphertext up to this size goes into Node's pool. */
const pooledBytesMax = 4096;

/** Buffers that are kept for the next reads. */
const spareBuffersMax = 4;

const BioControl = { Reset: 1, Pending: 10 } as const;

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
  private readonly spare: Buffer[];
  /** Where text becomes bytes before it is encrypted. */
  readonly staging: Buffer;
  /** Whose call into OpenSSL is under way: what its callbacks are about. */
  current: TlsConnection | null;

  constructor() {
    this.ssl = openOpenSsl();
    this.input = this.ssl.BIO_new(this.ssl.BIO_s_mem());
    this.output = this.ssl.BIO_new(this.ssl.BIO_s_mem());
    this.spare = [];
    this.staging = Buffer.allocUnsafeSlow(plainBytes);
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
    this.ssl.BIO_write(this.input, bytes, bytes.length);
  }

  /** Ciphertext that OpenSSL has not taken; null: none. */
  takeBack(): Buffer | null {
    return this.take(this.input);
  }

  /** Ciphertext to be sent; null: none. */
  takeOutput(): Buffer | null {
    return this.take(this.output);
  }

  /** Whoever failed leaves nothing behind for others. */
  clear(): void {
    this.ssl.BIO_ctrl(this.input, BioControl.Reset, 0n, 0n);
    this.ssl.BIO_ctrl(this.output, BioControl.Reset, 0n, 0n);
    this.ssl.ERR_clear_error();
  }

  /** Where plain text is read to. Layers of encryption need one each. */
  borrow(): Buffer {
    return this.spare.pop() ?? Buffer.allocUnsafeSlow(plainBytes);
  }

  giveBack(buffer: Buffer): void {
    if (this.spare.length < spareBuffersMax) this.spare.push(buffer);
  }

  private take(bio: Pointer): Buffer | null {
    const size = Number(this.ssl.BIO_ctrl(bio, BioControl.Pending, 0n, 0n));
    if (size === 0) return null;
    const bytes = size <= pooledBytesMax ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size);
    this.ssl.BIO_read(bio, bytes, size);
    return bytes;
  }
}

let engine: TlsEngine | null = null;

/** This thread's. Throws where Node has no FFI. */
export function tlsEngine(): TlsEngine {
  engine ??= new TlsEngine();
  return engine;
}
