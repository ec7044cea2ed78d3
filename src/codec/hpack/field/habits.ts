/**
 * Names whose value is another with every message: nothing is won by remembering it.
 * nghttp2, and with it Envoy, leaves the second half of these out of its table (`hd_deflate_decide_indexing`).
 */
const unique: ReadonlySet<string> = new Set(
  `x-request-id x-correlation-id x-client-trace-id traceparent tracestate b3 x-b3-traceid x-b3-spanid x-b3-parentspanid
  x-amzn-trace-id x-cloud-trace-context x-datadog-trace-id x-datadog-parent-id uber-trace-id
  x-envoy-upstream-service-time server-timing sec-websocket-key sec-websocket-accept grpc-message`.split(/\s+/),
);
const volatile: ReadonlySet<string> = new Set(
  `:path age content-length content-range etag if-match if-modified-since if-none-match if-range if-unmodified-since
  last-modified location range grpc-timeout`.split(/\s+/),
);

/** Names whose value may be guessed from its size in a table (RFC 7541 section 7.1). */
const secret: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'set-cookie', 'cookie']);

/** Firefox's criterion, taken over by nghttp2: what has fewer octets may be guessed one by one. */
export const cookieBytesMin = 20;

/** Whether values of that name come again, on any connection. */
export function isRepeating(name: string): boolean {
  return !unique.has(name);
}

export function isSecret(name: string): boolean {
  return secret.has(name);
}

/** How a field is written that is not in the table yet. */
export const Indexing = {
  Incremental: 0,
  Without: 1,
  Never: 2,
  /** Never below `cookieBytesMin`. */ Cookie: 3,
} as const;
export type Indexing = (typeof Indexing)[keyof typeof Indexing];

export function indexingOf(name: string): Indexing {
  if (name === 'cookie') return Indexing.Cookie;
  if (secret.has(name)) return Indexing.Never;
  return unique.has(name) || volatile.has(name) ? Indexing.Without : Indexing.Incremental;
}
