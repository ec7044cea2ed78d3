import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage } from 'node:http';
import { createServer as createHttp2, type ServerHttp2Stream } from 'node:http2';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import { acceptKey, encodeFrame, FrameReader, Opcode } from './ws-frames.ts';

/** What the origin does with an accepted WebSocket. */
export type Conversation = (stream: Duplex) => void;

/** A WebSocket server by hand over node:http or, with prior knowledge, node:http2 (RFC 8441). */
export class WebSocketOrigin {
  private readonly listener: Server;
  private readonly sockets: Set<Socket>;

  private constructor(conversation: Conversation) {
    this.sockets = new Set();
    const http = createHttp((_request, response) => response.end('plain'));
    http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => {});
      if (head.length > 0) socket.unshift(head);
      socket.write(accepted(request));
      conversation(socket);
    });
    const http2 = createHttp2({ settings: { enableConnectProtocol: true } });
    http2.on('sessionError', () => {});
    http2.on('stream', (stream: ServerHttp2Stream, headers) => {
      stream.on('error', () => {});
      if (headers[':protocol'] !== 'websocket') {
        stream.respond({ ':status': 400 }, { endStream: true });
        return;
      }
      // RFC 8441 has no use for it, but a client of HTTP/1.1 behind a proxy waits for it.
      const key = headers['sec-websocket-key'];
      stream.respond({
        ':status': 200,
        ...(key === undefined ? {} : { 'sec-websocket-accept': acceptKey(key) }),
      });
      conversation(stream);
    });
    this.listener = createServer({ allowHalfOpen: true }, (socket) => {
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => this.sockets.delete(socket));
      socket.once('readable', () => {
        const first = socket.read() as Buffer | null;
        if (first === null) return;
        socket.unshift(first);
        (first.toString('latin1', 0, 3) === 'PRI' ? http2 : http).emit('connection', socket);
      });
    });
  }

  static async start(conversation: Conversation = echo, port = 0): Promise<WebSocketOrigin> {
    const origin = new WebSocketOrigin(conversation);
    origin.listener.listen(port, '127.0.0.1');
    await once(origin.listener, 'listening');
    onTestFinished(() => origin.stop());
    return origin;
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  private stop(): void {
    this.listener.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

/** Sends messages back, answers pings, and closes as it is asked to. */
export function echo(stream: Duplex): void {
  const reader = new FrameReader();
  stream.on('data', (chunk: Buffer) => {
    for (const frame of reader.take(chunk)) {
      const opcode = frame.opcode === Opcode.Ping ? Opcode.Pong : frame.opcode;
      stream.write(encodeFrame({ opcode, payload: frame.payload }, false));
      if (opcode === Opcode.Close) stream.end();
    }
  });
  stream.on('end', () => stream.end());
}

function accepted(request: IncomingMessage): string {
  const protocol = request.headers['sec-websocket-protocol'];
  const fields = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptKey(request.headers['sec-websocket-key'] ?? '')}`,
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol.split(',')[0]}`]),
  ];
  return `${fields.join('\r\n')}\r\n\r\n`;
}
