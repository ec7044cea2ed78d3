import { HttpVersion } from '../../../core/head.ts';

/** Begins every HTTP/2 connection (RFC 9113 section 3.4), and no HTTP/1 request. */
const preface = Uint8Array.from('PRI * HTTP/2', (c) => c.charCodeAt(0));

/** What a client speaks, by its first bytes; null: they are too few to tell. Envoy would take those for HTTP/1. */
export function sniffVersion(bytes: Uint8Array): HttpVersion | null {
  const size = Math.min(bytes.length, preface.length);
  for (let i = 0; i < size; i++) if (bytes[i] !== preface[i]) return HttpVersion.Http11;
  return size === preface.length ? HttpVersion.Http2 : null;
}

/** What was negotiated in the TLS handshake; null: nothing that says it. */
export function versionOfAlpn(alpn: string): HttpVersion | null {
  if (alpn === '') return null;
  return alpn === 'h2' || alpn === 'h2c' ? HttpVersion.Http2 : HttpVersion.Http11;
}

/** As logs write it. */
export function protocolName(version: HttpVersion): string {
  if (version === HttpVersion.Http11) return 'HTTP/1.1';
  return version === HttpVersion.Http10 ? 'HTTP/1.0' : 'HTTP/2';
}
