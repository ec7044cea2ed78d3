/** `ws` as the origin, over HTTP/1.1 and over streams of HTTP/2. */
import { createServer as createHttp, type IncomingMessage } from 'node:http';
import { createServer as createHttp2, type ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import type { AtEnd } from '../scope.ts';
import { acceptKey } from '../ws-frames.ts';
import { listenForBoth } from './both-versions.ts';
import { webSocketOver } from './ws-streams.ts';

/** @returns its port; it answers every message with the same, and closes when told `close <code> <reason>` */
export async function startWsEcho(atEnd: AtEnd = onTestFinished as AtEnd): Promise<number> {
  const limits = { maxPayload: 64 * 1024 * 1024, maxFragments: 0, maxBufferedChunks: 0 };
  const handshakes = new WebSocketServer({ noServer: true, perMessageDeflate: true, ...limits });
  const http = createHttp();
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    handshakes.handleUpgrade(request, socket, head, echo);
  });
  const http2 = createHttp2({ settings: { enableConnectProtocol: true } });
  http2.on('stream', (stream: ServerHttp2Stream, headers) => {
    // RFC 8441 has no use for it, but a client of HTTP/1.1 behind a proxy waits for it.
    const key = headers['sec-websocket-key'];
    stream.respond({ ':status': 200, ...(key === undefined ? {} : { 'sec-websocket-accept': acceptKey(key) }) });
    echo(webSocketOver(stream, true));
  });
  return listenForBoth(http, http2, atEnd, { allowHalfOpen: true });
}

function echo(socket: WebSocket): void {
  socket.on('error', () => {});
  socket.on('message', (bytes: Buffer, isBinary) => {
    const [word, code, reason] = isBinary || bytes.length > 100 ? [] : bytes.toString().split(' ');
    if (word === 'close') socket.close(Number(code), reason);
    else socket.send(bytes, { binary: isBinary });
  });
}
