import { http } from '../../config.ts';
import type { Group, Row, Segment } from '../../row.ts';
import { downstreamOperators, serverTls } from '../../tls/config.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex').toString('latin1');

/** A record of so many bytes of one type. */
const record = (type: number, length: number, body = '') =>
  String.fromCharCode(type, 3, 1, length >> 8, length & 0xff) + body;

const strange = (name: string, raw: string | readonly Segment[], more: Omit<Row, 'name'> = {}): Row => ({
  name,
  raw,
  answers: 0,
  logLines: 1,
  until: 'closed',
  ...more,
});

// docs/differences.md
const alertVersion = { 'client[0].text': 'an alert in front of a version is one of TLS 1.2' };
const firstRecord = { 'log[0].%DOWNSTREAM_TRANSPORT': 'a first record of another type is UNEXPECTED_MESSAGE' };

const onTls: Group = {
  name: 'TLS: bytes that are none',
  config: http({ transport: serverTls(), listenerLog: downstreamOperators, hcm: '{ access_log: [] }' }),
  rows: [
    strange('HTTP/1.1', 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'),
    strange('HTTP/1.1, POST', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi'),
    strange('CONNECT', 'CONNECT a:443 HTTP/1.1\r\n\r\n'),
    strange('HTTP/2 with prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    strange('letters', 'hello there, who are you?\r\n'),
    strange('zeros', '\0'.repeat(64)),
    strange('SSL 2', hex('80 2e 01 00 02 00 15 00 00 00 10 01 00 80 02 00 80 03 00 80') + '\0'.repeat(28), {
      differs: alertVersion,
    }),
    strange('a record of application data', record(0x17, 5, 'hello'), { differs: firstRecord }),
    strange('a record that is too long', record(0x16, 0x4800, 'x'.repeat(100)), { differs: alertVersion }),
    strange('an empty record of a handshake', record(0x16, 0)),
    strange('an alert', record(0x15, 2, '\x02\x28'), { differs: { ...alertVersion, ...firstRecord } }),
    strange('a handshake that is no ClientHello', record(0x16, 4, '\x14\0\0\0'), { differs: alertVersion }),
    strange('a ClientHello that says it is too long', record(0x16, 4, '\x01\xff\xff\xff'), { differs: alertVersion }),
    strange('a ClientHello of nothing', record(0x16, 4, '\x01\0\0\0'), { differs: alertVersion }),
    strange('a piece of a ClientHello and the end', [record(0x16, 512, '\x01\0\x01\xfc\x03\x03'), 20, 'end']),
    strange('a piece of a ClientHello and a reset', [record(0x16, 512, '\x01\0\x01\xfc\x03\x03'), 20, 'reset']),
    strange('nothing and the end', ['end']),
    strange('nothing and a reset', [20, 'reset']),
  ],
};

const slow: Group = {
  name: 'TLS: handshakes that take too long',
  config: http({
    transport: serverTls(),
    chain: '{ transport_socket_connect_timeout: 0.3s }',
    listenerLog: downstreamOperators,
    hcm: '{ access_log: [] }',
  }),
  rows: [
    strange('nothing', [1000]),
    strange('a piece of a ClientHello', [record(0x16, 512, '\x01\0\x01\xfc\x03\x03'), 1000]),
    { name: 'one that does not', tls: {} },
  ],
};

const onPlain: Group = {
  name: 'TLS: a plain listener',
  config: http({}),
  tls: { minVersion: 'TLSv1.3' },
  rows: [{ name: 'a client that speaks TLS', raw: [], answers: 0, until: 'closed', waitMs: 1500, logLines: 1 }],
};

/** Groups about whoever does not speak what a listener speaks. */
export const tlsStrangers: readonly Group[] = [onTls, slow, onPlain];
