import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpVersion, RequestHead, ResponseHead } from '../core/head.ts';
import { Headers } from '../core/headers.ts';
import type { Address, Peer } from '../core/peer.ts';
import { Outcome } from '../observe/outcome.ts';

/** The record of an admin request for the admin's access logs, begun when its head has come. */
export function beginOutcome(request: IncomingMessage): Outcome {
  const outcome = new Outcome();
  outcome.startMs = performance.now();
  outcome.startEpochMs = performance.timeOrigin + outcome.startMs;
  outcome.protocol = `HTTP/${request.httpVersion}`;
  outcome.requestHead = requestHead(request);
  outcome.peer = peerOf(request);
  return outcome;
}

/** Completes the record once the answer was written. Body bytes. */
export function endOutcome(outcome: Outcome, response: ServerResponse, bytesReceived: number, bytesSent: number): void {
  outcome.requestEndMs = outcome.startMs;
  outcome.endMs = performance.now();
  outcome.responseStartMs = outcome.endMs;
  outcome.responseHead = new ResponseHead(response.statusCode, responseHeaders(response));
  outcome.responseCode = response.statusCode;
  outcome.details = 'admin_filter_response';
  outcome.bytesReceived = bytesReceived;
  outcome.bytesSent = bytesSent;
}

function requestHead(request: IncomingMessage): RequestHead {
  const headers = new Headers();
  const { rawHeaders } = request;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i].toLowerCase();
    if (name !== 'host') headers.add(name, rawHeaders[i + 1]);
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
    applicationProtocols: [],
    ja3: '',
    ja4: '',
    tls: null,
  };
}

/** A Unix socket's client has no address. */
function address(host: string | undefined, port: number | undefined): Address {
  return host === undefined ? { kind: 'pipe', host: '', port: 0 } : { kind: 'ip', host, port: port ?? 0 };
}
