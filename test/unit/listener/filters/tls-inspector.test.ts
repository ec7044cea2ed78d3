import { expect, it } from 'vitest';
import { TlsInspector, type TlsInspectorData } from '../../../../src/listener/filters/tls-inspector/tls-inspector.ts';
import { RecordingStats } from '../../cluster/recording-stats.ts';
import { hello, serverName, usual } from '../../codec/client-hello/hellos.ts';
import { Look } from './look.ts';

const usualData: TlsInspectorData = {
  wantsJa3: false,
  wantsJa4: false,
  closesOnParsingErrors: false,
  helloBytesMax: 16_384,
};

function look(data: Partial<TlsInspectorData> = {}): { look: Look; stats: RecordingStats } {
  const stats = new RecordingStats();
  return { look: new Look(new TlsInspector({ ...usualData, ...data }, stats)), stats };
}

it('finds what a client asks for, in pieces too', () => {
  const { look: one, stats } = look({ wantsJa3: true, wantsJa4: true });
  const bytes = usual('www.example.org', 'h2', 'http/1.1');
  expect(one.give('')).toBe('more');
  expect(one.give(bytes.subarray(0, 50))).toBe('more');
  expect(one.give(bytes.subarray(50))).toBe('continue');
  expect(one.peer).toMatchObject({
    transportProtocol: 'tls',
    serverName: 'www.example.org',
    applicationProtocols: ['h2', 'http/1.1'],
    transportFailureReason: '',
    dynamicMetadata: null,
  });
  expect(one.peer.ja3).toMatch(/^[0-9a-f]{32}$/);
  expect(one.peer.ja4).toMatch(/^t13d0508h2_[0-9a-f]{12}_[0-9a-f]{12}$/);
  expect(stats.read('tls_inspector.')).toEqual({ alpn_found: 1, sni_found: 1, tls_found: 1 });
  expect(stats.records('tls_inspector.bytes_processed')).toEqual([bytes.length]);
});

it('counts what is missing, and takes no prints that nobody wants', () => {
  const { look: one, stats } = look();
  expect(one.give(hello())).toBe('continue');
  expect([one.peer.ja3, one.peer.ja4, one.peer.serverName]).toEqual(['', '', '']);
  expect(stats.read('tls_inspector.')).toEqual({ alpn_not_found: 1, sni_not_found: 1, tls_found: 1 });
});

it('leaves plain text as it is, and says why', () => {
  const { look: one, stats } = look();
  expect(one.give('GET / HTTP/1.1\r\n')).toBe('continue');
  expect(one.peer.transportProtocol).toBe('raw_buffer');
  expect(one.peer.transportFailureReason).toBe(
    'TLS_error|error:1000009c:SSL routines:OPENSSL_internal:HTTP_REQUEST:TLS_error_end',
  );
  expect(Object.fromEntries(one.peer.dynamicMetadata!)).toEqual({
    'envoy.filters.listener.tls_inspector': { failure_reason: 'ClientHelloNotDetected' },
  });
  expect(stats.read('tls_inspector.')).toEqual({ tls_not_found: 1 });
});

it('closes for plain text if it is told to', () => {
  const { look: one } = look({ closesOnParsingErrors: true });
  expect(one.give('hello')).toBe('close');
});

it('closes a hello that is larger than is allowed, and one of no version', () => {
  const { look: one, stats } = look({ helloBytesMax: 100 });
  expect(one.give(usual('a.example').subarray(0, 99))).toBe('more');
  expect(one.give(usual('a.example').subarray(99))).toBe('close');
  expect(stats.read('tls_inspector.')).toEqual({ client_hello_too_large: 1 });
  const { look: two } = look();
  expect(two.give(hello({ version: 0x0300, extensions: [serverName('old.test')] }))).toBe('close');
  expect(two.peer.serverName).toBe('old.test');
});

it('does not close plain text because much of it came at once', () => {
  const { look: one } = look({ helloBytesMax: 100 });
  expect(one.give('x'.repeat(1000))).toBe('continue');
});
