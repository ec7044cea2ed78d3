import type { Group } from '../../row.ts';
import {
  body,
  extension,
  hello,
  message,
  protocols,
  record,
  serverName,
  usual,
  versions,
} from '../../../unit/codec/client-hello/hellos.ts';
import { carried, httpInspector, proxyProtocol, sent, tlsInspector } from './chains.ts';

const reset = 'a client that resets is noticed at once, not when its time is up';
const counted = 'stats.listener.127.0.0.1_<listen>.downstream_';
const resets = { [`${counted}pre_cx_timeout`]: reset, [`${counted}listener_filter_error`]: reset };

const byTransport = {
  h2: '{ transport_protocol: tls, application_protocols: [h2] }',
  tls: '{ transport_protocol: tls }',
  raw: '{ transport_protocol: raw_buffer }',
};

const usualHello = usual('a.example.com', 'h2', 'http/1.1');
const pieces = (bytes: Buffer, size: number): (Buffer | number)[] => {
  const list: (Buffer | number)[] = [];
  for (let at = 0; at < bytes.length; at += size) list.push(bytes.subarray(at, at + size), 3);
  return list;
};
const inRecords = (size: number): Buffer => {
  const whole = message(body({ extensions: [serverName('records.test'), protocols('h2')] }));
  const records: Buffer[] = [];
  for (let at = 0; at < whole.length; at += size) records.push(record(whole.subarray(at, at + size)));
  return Buffer.concat(records);
};
/** A ClientHello whose message has so many bytes. */
const padded = (size: number): Buffer => {
  const some = [serverName('padded.test'), protocols('h2')];
  const empty = message(body({ extensions: [...some, extension(21, Buffer.alloc(0))] })).length;
  const whole = message(body({ extensions: [...some, extension(21, Buffer.alloc(size - empty))] }));
  return Buffer.concat([record(whole.subarray(0, 8000)), record(whole.subarray(8000))]);
};

const inspected = carried(
  'tls_inspector',
  [tlsInspector('{ enable_ja3_fingerprinting: true, enable_ja4_fingerprinting: true }')],
  byTransport,
  [
    sent('a browser’s hello', usualHello),
    sent('in two pieces', [usualHello.subarray(0, 60), 30, usualHello.subarray(60)]),
    sent('cut behind the record’s header', [usualHello.subarray(0, 5), 30, usualHello.subarray(5)]),
    sent('in many pieces', pieces(usualHello, 7)),
    sent('in many records', inRecords(10)),
    sent('in records of a byte', inRecords(1)),
    sent('what follows it belongs to the chain', Buffer.concat([usualHello, Buffer.from('more')])),
    sent('no extensions', hello({ extensions: null })),
    sent(
      'values that are made up',
      hello({
        suites: [0x0a0a, 0x1301],
        extensions: [extension(0x2a2a, Buffer.alloc(0)), serverName('g.test'), versions(0x3a3a, 0x0304)],
      }),
    ),
    sent('an ALPN that is no word', hello({ extensions: [protocols('\x01\xfe')] })),
    sent('a name with strange bytes', hello({ extensions: [serverName('a b\xff')] })),
    sent('a name with a zero', hello({ extensions: [serverName('a\0b')] })),
    sent('a name that is empty', hello({ extensions: [serverName('')] })),
    sent('an extension twice', hello({ extensions: [serverName('a'), serverName('b')] })),
    sent('SSL 3', hello({ version: 0x0300, extensions: [serverName('old.test'), protocols('h2')] })),
    sent('a version to come', hello({ version: 0x0305, extensions: [serverName('new.test')] })),
    sent('a record of another version', record(message(body()), 22, 0x0200)),
    sent('a hello with another behind it', record(Buffer.concat([message(body()), message(body())]))),
    sent('a message that is no hello', record(message(body(), 2))),
    sent('application data', record(Buffer.from('hello'), 23)),
    sent('HTTP', 'GET / HTTP/1.1\r\n\r\n'),
    sent('a CONNECT', 'CONNECT a:1 HTTP/1.1\r\n\r\n'),
    sent('words', 'hello there'),
    sent('zeros', Buffer.alloc(100)),
    sent('a message of 16 375 bytes', padded(16_370)),
    sent('a hello that does not fit', padded(16_383)),
    sent('a message that is too long', padded(16_390)),
    sent('a record that is too long', Buffer.concat([Buffer.from('1603014800', 'hex'), Buffer.alloc(100)])),
    sent('too few bytes to tell', [usualHello.subarray(0, 30)]),
    sent('too few bytes, and the end', [usualHello.subarray(0, 30), 30, 'end']),
    sent('too few bytes, and a reset', [usualHello.subarray(0, 30), 30, 'reset'], { differs: resets }),
    sent('nothing', []),
    sent('nothing, and the end', [30, 'end']),
  ],
);

const strict = carried(
  'tls_inspector that closes',
  [tlsInspector('{ close_connection_on_client_hello_parsing_errors: true, max_client_hello_size: 512 }')],
  byTransport,
  [
    sent('a hello', usual('short.test', 'h2')),
    sent('words', 'hello there'),
    sent('many words', 'hello there '.repeat(50)),
    sent('a hello that is longer', padded(9000)),
    sent('SSL 3', hello({ version: 0x0300 })),
  ],
);

const byProtocol = {
  h2c: '{ application_protocols: [h2c] }',
  'http/1.1': '{ application_protocols: [http/1.1] }',
  'http/1.0': '{ application_protocols: [http/1.0] }',
  tls: '{ transport_protocol: tls }',
  none: '{}',
};
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const http = carried('http_inspector', [httpInspector()], byProtocol, [
  sent('HTTP/1.1', 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'),
  sent('HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n'),
  sent('HTTP/0.9', 'GET /\r\n\r\n'),
  sent('HTTP/1.2', 'GET / HTTP/1.2\r\n\r\n'),
  sent('HTTP/2', `${preface}more`),
  sent('a line feed alone', 'GET / HTTP/1.1\n'),
  sent('a method that nobody knows', 'FOO / HTTP/1.1\r\n\r\n'),
  sent('a method that is none', 'G@T / HTTP/1.1\r\n\r\n'),
  sent('white space', 'GET \t /  HTTP/1.1 \r\n'),
  sent('a target that is none', 'GET foo HTTP/1.1\r\n'),
  sent('a version that is none', 'GET / HTP/1.1\r\n'),
  sent('an absolute target', 'GET http://a/ HTTP/1.1\r\n'),
  sent('CONNECT', 'CONNECT a:1 HTTP/1.1\r\n'),
  sent('a line of something else', 'EHLO you\r\n'),
  sent('an empty line first', '\r\nGET / HTTP/1.1\r\n'),
  sent('bytes that begin no method', '\x01\x02\x03'),
  sent('the preface of HTTP/2, nearly', 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n'),
  sent('in pieces', ['G', 20, 'ET / HT', 20, 'TP/1.1\r', 20, '\n']),
  sent('the preface in pieces', [preface.slice(0, 3), 20, preface.slice(3, 20), 20, preface.slice(20)]),
  sent('a long line', `GET /${'a'.repeat(60_000)} HTTP/1.1\r\n`),
  sent('a line that is too long', `GET /${'a'.repeat(70_000)} HTTP/1.1\r\n`),
  sent('no end of a line', 'GET / HTTP/1.1'),
]);

const both = carried('tls_inspector and http_inspector', [tlsInspector(), httpInspector()], byProtocol, [
  sent('plain', 'GET / HTTP/1.1\r\n\r\n'),
  sent('TLS', usual('a.test', 'foo')),
  sent('TLS that offers http/1.1', usual('a.test', 'http/1.1')),
]);

const goesOn = carried(
  'filters that take too long and go on',
  [tlsInspector(), httpInspector()],
  { ...byProtocol },
  [sent('nothing', [600, 'hello']), sent('a piece', [usualHello.subarray(0, 30), 600, 'hello'])],
  { continue_on_listener_filters_timeout: true },
);

const untimed = carried(
  'filters without a limit of time',
  [tlsInspector()],
  byTransport,
  [sent('a hello that dawdles', [usualHello.subarray(0, 30), 700, usualHello.subarray(30)])],
  { listener_filters_timeout: '0s' },
);

const disabled = (predicate: string) => ({ ...tlsInspector(), filter_disabled: JSON.parse(predicate) as object });
const onPort = (start: number, end: number) => JSON.stringify({ destination_port_range: { start, end } });
const line = (port: number) => `PROXY TCP4 10.0.0.1 10.0.0.2 1000 ${port}\r\n`;
const to = (port: number) => sent(`port ${port}`, Buffer.concat([Buffer.from(line(port)), usualHello]));
const withOut = (name: string, predicate: string, ports: readonly number[]): Group =>
  carried(`filter_disabled: ${name}`, [proxyProtocol(), disabled(predicate)], byTransport, ports.map(to));

/** Groups about what listener filters find in the first bytes. */
export const inspectors: readonly Group[] = [
  inspected,
  strict,
  http,
  both,
  goesOn,
  untimed,
  withOut('a range of ports', onPort(80, 90), [79, 80, 89, 90]),
  withOut('all', '{"any_match":true}', [80]),
  withOut('not', `{"not_match":${onPort(80, 90)}}`, [80, 90]),
  withOut('or', `{"or_match":{"rules":[${onPort(80, 81)},${onPort(90, 91)}]}}`, [80, 85, 90]),
  withOut('and', `{"and_match":{"rules":[${onPort(80, 90)},${onPort(85, 95)}]}}`, [80, 85, 90]),
];
