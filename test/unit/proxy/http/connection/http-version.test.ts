import { expect, test } from 'vitest';
import { HttpVersion } from '../../../../../src/core/head.ts';
import { sniffVersion, versionOfAlpn } from '../../../../../src/proxy/http/connection/http-version.ts';

test.each([
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', HttpVersion.Http2],
  ['PRI * HTTP/2', HttpVersion.Http2],
  ['PRI * HTTP/', null],
  ['P', null],
  ['POST / HTTP/1.1', HttpVersion.Http11],
  ['PRI * HTTP/1.1', HttpVersion.Http11],
  ['\r\nPRI * HTTP/2', HttpVersion.Http11],
])('the first bytes %j', (text, version) => {
  expect(sniffVersion(Buffer.from(text, 'latin1'))).toBe(version);
});

test.each([
  ['h2', HttpVersion.Http2],
  ['h2c', HttpVersion.Http2],
  ['http/1.1', HttpVersion.Http11],
  ['istio', HttpVersion.Http11],
  ['', null],
])('ALPN %j', (alpn, version) => {
  expect(versionOfAlpn(alpn)).toBe(version);
});
