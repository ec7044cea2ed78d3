import type { Socket } from 'node:net';
import type { Codec, CodecHost } from '../../../../src/codec/codec.ts';
import { ClosedByPeer } from '../../../../src/core/failures.ts';

/** Carries a codec over a socket of Node's: the least that a host must do. */
export class SocketHost implements CodecHost {
  readonly socket: Socket;
  /** Bytes of which the peer has taken nothing yet, from which `write` says false. */
  highWatermark: number;
  private codec: Codec | null = null;
  private isAbove = false;

  constructor(socket: Socket, highWatermark = 64 * 1024) {
    this.socket = socket;
    this.highWatermark = highWatermark;
  }

  get bufferedBytes(): number {
    return this.socket.writableLength;
  }

  carry(codec: Codec): void {
    const { socket } = this;
    this.codec = codec;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => codec.receive(chunk, performance.now()));
    socket.on('end', () => codec.receiveEnd(performance.now()));
    socket.on('error', () => undefined);
    socket.on('close', () => codec.closed(ClosedByPeer));
    socket.on('drain', () => {
      if (!this.isAbove) return;
      this.isAbove = false;
      codec.onBelowLowWatermark();
    });
  }

  write(chunk: Uint8Array): boolean {
    if (this.socket.destroyed) return true;
    this.socket.write(chunk);
    if (this.socket.writableLength <= this.highWatermark || !this.socket.writableNeedDrain) return true;
    if (!this.isAbove) {
      this.isAbove = true;
      this.codec?.onAboveHighWatermark();
    }
    return false;
  }

  writeLatin1(text: string): boolean {
    return this.write(Buffer.from(text, 'latin1'));
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }
}
