import type { ConnectionSink } from '../../core/connection.ts';
import { lentBytes } from '../../core/lent-bytes.ts';
import type { Pointer } from './open-ssl/open-ssl.ts';
import { takeTlsErrors } from './open-ssl/tls-error.ts';
import type { Memory } from '../recycled-memory.ts';
import type { TlsEngine } from './tls-engine.ts';
import type { TlsTurns } from './tls-tools.ts';

const SslError = { WantRead: 2, ZeroReturn: 6 } as const;

/** Reads up to this size are copied into Node's pool; larger ones are lent. */
const copiedBytesMax = 4096;

/** What a read has come to besides bytes. */
export const ReadEnd = { Waiting: 0, Closed: 1, Broken: 2 } as const;
export type ReadEnd = (typeof ReadEnd)[keyof typeof ReadEnd];

/** Decrypts what the engine's input has. One for all connections of a thread. */
export class TlsReader {
  /** Bytes that the last read has put into its memory. */
  size: number;
  /** What was wrong, where it is broken. */
  errors: string;
  private readonly engine: TlsEngine;

  constructor(engine: TlsEngine) {
    this.size = 0;
    this.errors = '';
    this.engine = engine;
  }

  read(connection: Pointer, plain: Memory): ReadEnd {
    this.size = 0;
    return this.readOn(connection, plain);
  }

  /** Passes on what was read, and takes the memory back. */
  give(plain: Memory, size: number, to: ConnectionSink, turns: TlsTurns): void {
    if (size <= copiedBytesMax) {
      const chunk = Buffer.allocUnsafe(size);
      plain.bytes.copy(chunk, 0, 0, size);
      plain.giveBack();
      to.onBytes(chunk);
      return;
    }
    lentBytes.lendInside(plain.bytes, plain);
    to.onBytes(plain.bytes.subarray(0, size));
    // What was written of it leaves before it is read into again.
    turns.leave();
    if (lentBytes.endInside(size)) plain.giveBack();
  }

  private readOn(connection: Pointer, plain: Memory): ReadEnd {
    do {
      const count = this.readRecord(connection, plain);
      if (count <= 0) return this.endOf(connection, plain, count);
      // Mostly one record came, and came whole: there is nothing more to ask for.
    } while (!this.engine.isInputEmpty);
    return ReadEnd.Waiting;
  }

  private readRecord(connection: Pointer, plain: Memory): number {
    const { size } = this;
    const to = size === 0 ? plain.address : plain.address + BigInt(size);
    const count = this.engine.ssl.SSL_read(connection, to, plain.bytes.length - size);
    if (count > 0) this.size += count;
    return count;
  }

  private endOf(connection: Pointer, plain: Memory, count: number): ReadEnd {
    const { ssl } = this.engine;
    const error = ssl.SSL_get_error(connection, count);
    if (error === SslError.WantRead) return ReadEnd.Waiting;
    if (error === SslError.ZeroReturn) return ReadEnd.Closed;
    this.errors = takeTlsErrors(ssl, '');
    // Somebody else in this thread may have left an error behind that is not ours: asked again, OpenSSL tells.
    const again = this.readRecord(connection, plain);
    if (again > 0) return this.engine.isInputEmpty ? ReadEnd.Waiting : this.readOn(connection, plain);
    const second = ssl.SSL_get_error(connection, again);
    ssl.ERR_clear_error();
    if (second === SslError.WantRead) return ReadEnd.Waiting;
    return second === SslError.ZeroReturn ? ReadEnd.Closed : ReadEnd.Broken;
  }
}
