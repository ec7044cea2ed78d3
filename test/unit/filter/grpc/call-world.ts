import type { FilterBuilder } from '../../../../src/filter/filter.ts';
import { clusterData } from '../../cluster/cluster-fixture.ts';
import { HttpWorld, type Setting } from '../../proxy/http/world.ts';
import { filterContext } from '../filter-fixture.ts';

/** One gRPC frame; a character is a byte. */
export function frame(message: string, flags = 0): string {
  return String.fromCharCode(flags, 0, 0, message.length >>> 8, message.length & 255) + message;
}

export const base64 = (bytes: string) => Buffer.from(bytes, 'latin1').toString('base64');

/** A request or a response in pieces, chunked, with trailers. */
export function chunked(
  line: string,
  headers: readonly string[],
  chunks: readonly string[],
  trailers: readonly string[] = [],
): string {
  const body = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`);
  return [line, ...headers, 'transfer-encoding: chunked', '', body.join('') + '0', ...trailers, '', ''].join('\r\n');
}

/** A call over HTTP/1.1. */
export const call = (chunks: readonly string[], type = 'application/grpc', more: readonly string[] = []): string =>
  chunked('POST /s.S/M HTTP/1.1', ['host: a', `content-type: ${type}`, ...more], chunks);

/** Its answer. */
export const answer = (chunks: readonly string[], trailers: readonly string[], type = 'application/grpc'): string =>
  chunked('HTTP/1.1 200 OK', [`content-type: ${type}`], chunks, trailers);

/** A connection manager with one filter and trailers on both sides, of which only the wire is the test's. */
export function callWorld(builder: FilterBuilder, data: unknown, setting: Setting = {}): HttpWorld {
  const factory = builder.build(data, filterContext());
  const { http } = clusterData();
  return new HttpWorld({
    filters: { subject: () => factory.create() },
    clusters: { c: { http: { ...http, http1: { ...http.http1, enableTrailers: true } } } },
    ...setting,
    hcm: { httpProtocolOptions: { enableTrailers: true }, ...setting.hcm },
  });
}

/** A message taken apart: its first line, fields, the body without chunks, and trailers. */
export interface Message {
  readonly line: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: string;
  readonly trailers: Readonly<Record<string, string>>;
}

export function parsed(text: string): Message {
  const end = text.indexOf('\r\n\r\n');
  const [line, ...fields] = text.slice(0, end).split('\r\n');
  const head = fieldsOf(fields);
  let rest = text.slice(end + 4);
  if (head['transfer-encoding'] !== 'chunked') return { line, fields: head, body: rest, trailers: {} };
  let body = '';
  for (;;) {
    const size = parseInt(rest, 16);
    rest = rest.slice(rest.indexOf('\r\n') + 2);
    if (!(size > 0)) return { line, fields: head, body, trailers: fieldsOf(rest.split('\r\n')) };
    body += rest.slice(0, size);
    rest = rest.slice(size + 2);
  }
}

function fieldsOf(lines: readonly string[]): Record<string, string> {
  const pairs = lines.filter((line) => line !== '').map((line) => line.split(/:\s*/, 2));
  return Object.fromEntries(pairs) as Record<string, string>;
}

/** One call through `world`: what the upstream got, and the client. */
export function exchange(world: HttpWorld, request: string, response: string): { sent: Message; got: Message } {
  const client = world.send(request);
  const { upstream } = world;
  const sent = parsed(upstream.take());
  upstream.receive(response);
  return { sent, got: parsed(client.take()) };
}
