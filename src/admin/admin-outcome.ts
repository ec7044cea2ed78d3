import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpVersion, RequestHead, ResponseHead } from '../core/head.ts';
import { Headers } from '../core/headers.ts';
import type { Address, Peer } from '../core/peer.ts';
import { Outcome } from '../observe/outcome.ts';

/** What the server counted of one request. Monotonic milliseconds, body bytes. */
export interface AdminExchange {
  readonly startMs: number;
  readonly endMs: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

/** The record of an answered admin request, for the admin's access logs. */
export function adminOutcome(request: IncomingMessage, response: ServerResponse, exchange: AdminExchange): Outcome {
  const outcome = new Outcome();
  outcome.startMs = exchange.startMs;
  outcome.startEpochMs = performance.timeOrigin + exchange.startMs;
  outcome.requestEndMs = exchange.startMs;
  outcome.responseStartMs = exchange.endMs;
  outcome.endMs = exchange.endMs;
  outcome.protocol = `HTTP/${request.httpVersion}`;
  outcome.requestHead = requestHead(request);
  outcome.responseHead = new ResponseHead(response.statusCode, responseHeaders(response));
  outcome.responseCode = response.statusCode;
  outcome.details = 'admin_filter_response';
  outcome.bytesReceived = exchange.bytesReceived;
  outcome.bytesSent = exchange.bytesSent;
  outcome.peer = peerOf(request);
  return outcome;
}

function requestHead(request: IncomingMessage): RequestHead {
  const headers = new Headers();
  const { rawHeaders } = request;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    if (name !== 'host') headers.add(name, rawHeaders[i + 1]!);
  }
  const version = request.httpVersion === '1.0' ? HttpVersion.Http10 : HttpVersion.Http11;
  const head = new RequestHead(request.method ?? '', request.headers.host ?? '', request.url ?? '', version, headers);
  head.scheme = 'http';
  return head;
}

function responseHeaders(response: ServerResponse): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(response.getHeaders())) {
    for (const one of Array.isArray(value) ? value : [String(value)]) headers.add(name, one);
  }
  return headers;
}

function peerOf({ socket }: IncomingMessage): Peer {
  const remote = address(socket.remoteAddress, socket.remotePort);
  const local = address(socket.localAddress, socket.localPort);
  return {
    remote,
    local,
    directRemote: remote,
    directLocal: local,
    serverName: '',
    alpn: '',
    transportProtocol: 'raw_buffer',
  };
}

/** A Unix socket's client has no address. */
function address(host: string | undefined, port: number | undefined): Address {
  return host === undefined ? { kind: 'pipe', host: '', port: 0 } : { kind: 'ip', host, port: port ?? 0 };
}
