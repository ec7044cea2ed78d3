/** `ws` over a stream of HTTP/2, which it has no handshake for: its frames are its own (RFC 8441 leaves them as they are). */
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';

/** What the package's own server calls once its handshake is done. */
interface Opened {
  setSocket(stream: Duplex, head: Buffer, options: object): void;
  _isServer: boolean;
}

/** @param isServer whose frames are not masked */
export function webSocketOver(stream: Duplex, isServer: boolean): WebSocket {
  const Bare = WebSocket as unknown as new (address: null, protocols: undefined, options: object) => WebSocket;
  const socket = new Bare(null, undefined, { autoPong: true, closeTimeout: 30_000 });
  const opened = socket as unknown as Opened;
  opened._isServer = isServer;
  opened.setSocket(stream, Buffer.alloc(0), { allowSynchronousEvents: true, maxPayload: 64 * 1024 * 1024 });
  return socket;
}
