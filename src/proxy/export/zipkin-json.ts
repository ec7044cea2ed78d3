import { quoteJson } from '../../observe/format/byte-string.ts';
import { SpanKind, type Span } from '../../observe/trace/span.ts';

/** Where a span was made. */
export interface ZipkinEndpoint {
  readonly serviceName: string;
  /** IPv4 or IPv6. */
  readonly address: string;
}

/** A span as Zipkin's version 2 JSON; bytes. Times are microseconds. */
export function zipkinJson(span: Span, endpoint: ZipkinEndpoint): string {
  const { tags, events } = span;
  let tagText = '';
  for (let i = 0; i < tags.length; i += 2)
    tagText += `${i === 0 ? '' : ','}${quoteJson(tags[i])}:${quoteJson(tags[i + 1])}`;
  const annotations = [...events, lastEvent(span)].map(
    ({ name, epochMs }) => `{"timestamp":${micros(epochMs)},"value":${quoteJson(name)}}`,
  );
  const { serviceName, address } = endpoint;
  const ip = address.includes(':') ? 'ipv6' : 'ipv4';
  return (
    `{"traceId":"${span.traceId}",` +
    (span.parentId === '' ? '' : `"parentId":"${span.parentId}",`) +
    `"id":"${span.id}","kind":"${span.kind === SpanKind.Server ? 'SERVER' : 'CLIENT'}",` +
    `"name":${quoteJson(span.name)},"timestamp":${micros(span.startEpochMs)},"duration":${durationOf(span)},` +
    `"localEndpoint":{"serviceName":${quoteJson(serviceName)},"${ip}":"${address}","port":0},` +
    `"annotations":[${annotations.join(',')}],"tags":{${tagText}}${span.isShared ? ',"shared":true' : ''}}`
  );
}

/** As Envoy: the end is an annotation, too. */
export function lastEvent(span: Span): { readonly name: string; readonly epochMs: number } {
  return { name: span.kind === SpanKind.Server ? 'ss' : 'cr', epochMs: span.endEpochMs };
}

export function micros(epochMs: number): number {
  return Math.round(epochMs * 1000);
}

/** Zipkin takes 0 for unknown. */
export function durationOf(span: Span): number {
  return Math.max(1, micros(span.endEpochMs) - micros(span.startEpochMs));
}
