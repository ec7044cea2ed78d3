import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Step } from './row.ts';
import { tcpBehaviours } from './tcp-upstream.ts';
import type { Script, Seen } from './upstream.ts';

/** A server of node:http answers upgrades and CONNECT as the running row's steps say. */
export function serveTunnels(server: Server, name: string, script: Script): void {
  const serve = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    const socket = stream as Socket;
    const seen: Seen = {
      upstream: name,
      line: `${request.method} ${request.url} HTTP/${request.httpVersion}`,
      headers: pairs(request.rawHeaders),
      body: '',
      trailers: [],
      isComplete: false,
      connection: script.connectionNumber(socket),
    };
    script.seen.push(seen);
    script.spoil(socket);
    record(socket, seen);
    // What came with the head is part of it.
    if (head.length > 0) {
      socket.unshift(head);
      seen.headers = [...seen.headers, ['(bytes with the head)', head.toString('latin1')]];
    }
    socket.pause();
    void answerHttp1(request, socket, script.next());
  };
  server.on('upgrade', serve);
  server.on('connect', serve);
}

/** The answer is sent already; what follows belongs to the tunnel. */
export function tunnelOverHttp2(stream: ServerHttp2Stream, step: Step): void {
  if (step.tunnel === 'slam') stream.once('data', () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
  else behave(stream, step);
  if (step.ending === 'close') setTimeout(() => stream.end(), 50);
}

async function answerHttp1(request: IncomingMessage, socket: Socket, step: Step): Promise<void> {
  if (step.delayMs !== undefined) await sleep(step.delayMs);
  if (socket.destroyed) return;
  const isConnect = request.method === 'CONNECT';
  const status = step.status ?? (isConnect ? 200 : 101);
  const agreed: [string, string][] = isConnect
    ? []
    : [
        ['Connection', 'Upgrade'],
        ['Upgrade', request.headers.upgrade!],
      ];
  const fields = step.headers ?? (status === 101 || isConnect ? agreed : [['content-type', 'text/plain']]);
  const body = step.tunnel === undefined ? (step.body ?? '') : '';
  const length = step.tunnel === undefined && status !== 101 ? [['content-length', String(body.length)]] : [];
  const lines = [...fields, ...length].map(([key, value]) => `${key}: ${value}\r\n`).join('');
  socket.write(step.raw ?? `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n${lines}\r\n${body}`, 'latin1');
  behave(socket, step);
  if (step.ending === 'reset') setTimeout(() => socket.resetAndDestroy(), 50);
  if (step.ending === 'close') setTimeout(() => socket.end(), 50);
}

function behave(stream: Duplex, { tunnel }: Step): void {
  stream.resume();
  if (tunnel === undefined) return;
  tcpBehaviours[tunnel](stream as Socket);
}

function record(stream: Duplex, seen: Seen): void {
  stream.on('error', () => {});
  stream.on('data', (chunk: Buffer) => (seen.body += chunk.toString('latin1')));
  stream.on('end', () => (seen.isComplete = true));
}

function pairs(raw: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let index = 0; index < raw.length; index += 2) result.push([raw[index], raw[index + 1]]);
  return result;
}
