import { http } from '../../config.ts';
import type { Group } from '../../row.ts';
import { usual } from '../../../unit/codec/client-hello/hellos.ts';
import { serverTls } from '../../tls/config.ts';
import { carried, listenerStats, proxyProtocol, sent, tlsInspector, told } from './chains.ts';

const signature = '\r\n\r\n\0\r\nQUIT\n';
const number = (value: number): string => String.fromCharCode(value >> 8, value & 255);
/** A header of version 2. */
const binary = (first: number, second: number, rest: string, length = rest.length): string =>
  signature + String.fromCharCode(first, second) + number(length) + rest;
const ends4 = '\x0a\x01\x02\x03\x0a\x04\x05\x06' + number(1000) + number(443);
const ends6 = `\x20\x01\x0d\xb8${'\0'.repeat(11)}\x01\x20\x01\x0d\xb8${'\0'.repeat(11)}\x02${number(1000)}${number(443)}`;
const tlv = (type: number, value: string): string => String.fromCharCode(type) + number(value.length) + value;

const any = { any: '{}' };

const version1 = carried('PROXY protocol, version 1', [proxyProtocol()], any, [
  sent('TCP4', 'PROXY TCP4 10.1.2.3 10.4.5.6 1000 443\r\nhello'),
  sent('TCP6', 'PROXY TCP6 2001:DB8::0:1 2001:db8:0:0:1:0:0:2 1000 443\r\nhello'),
  sent('UNKNOWN', 'PROXY UNKNOWN\r\nhello'),
  sent('UNKNOWN with more', 'PROXY UNKNOWN ffff::1 ffff::2 1 2\r\nhello'),
  sent('in pieces', ['PRO', 20, 'XY TCP4 10.1.2.3 10.4', 20, '.5.6 1000 443\r', 20, '\nhel', 20, 'lo']),
  sent('an address of the other family', 'PROXY TCP4 ::1 ::2 1000 443\r\nhello'),
  sent('an address that is none', 'PROXY TCP4 10.1.2 10.4.5.6 1000 443\r\nhello'),
  sent('a port that is none', 'PROXY TCP4 10.1.2.3 10.4.5.6 70000 443\r\nhello'),
  sent('an address of nobody', 'PROXY TCP4 0.0.0.0 10.4.5.6 1000 443\r\nhello'),
  sent('an address of many', 'PROXY TCP4 10.1.2.3 224.0.0.1 1000 443\r\nhello'),
  sent('a word is missing', 'PROXY TCP4 10.1.2.3 10.4.5.6 1000\r\nhello'),
  sent('a word too many', 'PROXY TCP4 10.1.2.3 10.4.5.6 1000 443 1\r\nhello'),
  sent('a family that is none', 'PROXY UDP4 10.1.2.3 10.4.5.6 1000 443\r\nhello'),
  sent('white space behind it', 'PROXY TCP4 10.1.2.3 10.4.5.6 1000 443 \r\nhello'),
  sent('none', 'GET / HTTP/1.1\r\n\r\n'),
  sent('none, and short', 'hi\r\n'),
  sent('none, and too short to tell', 'hi'),
  sent('a line that is too long', `PROXY UNKNOWN ${'x'.repeat(200)}\r\nhello`),
  sent('a line without an end', `PROXY TCP4 10.1.2.3 10.4.5.6 ${'1'.repeat(200)}`),
]);

const version2 = carried(
  'PROXY protocol, version 2',
  [
    proxyProtocol(
      '{ rules: [{ tlv_type: 2, on_tlv_present: { key: authority } }, { tlv_type: 224, on_tlv_present: { key: raw, value_string_encoding: BASE64 } }, { tlv_type: 225, on_tlv_present: { key: text } }, { tlv_type: 4, on_tlv_present: { metadata_namespace: elsewhere, key: x } }] }',
    ),
  ],
  any,
  [
    sent('TCP over IPv4', `${binary(0x21, 0x11, ends4)}hello`),
    sent('TCP over IPv6', `${binary(0x21, 0x21, ends6)}hello`),
    sent('UDP over IPv4', `${binary(0x21, 0x12, ends4)}hello`),
    sent('LOCAL', `${binary(0x20, 0x00, '')}hello`),
    sent('LOCAL with more', `${binary(0x20, 0x11, ends4)}hello`),
    sent('in pieces', [
      signature.slice(0, 5),
      20,
      binary(0x21, 0x11, ends4).slice(5, 20),
      20,
      `${ends4.slice(4)}hello`,
    ]),
    sent('a TLV', `${binary(0x21, 0x11, ends4 + tlv(2, 'a.test'))}hello`),
    sent(
      'TLVs',
      `${binary(0x21, 0x11, ends4 + tlv(2, 'a.test') + tlv(5, 'id') + tlv(224, '\0\xff') + tlv(4, 'y'))}hello`,
    ),
    sent('a TLV twice', `${binary(0x21, 0x11, ends4 + tlv(2, 'first') + tlv(2, 'second'))}hello`),
    sent('a TLV that is no UTF-8', `${binary(0x21, 0x11, ends4 + tlv(225, 'a\xffb\xc3\xa9\xe2\x82c'))}hello`),
    sent('a TLV that is empty', `${binary(0x21, 0x11, ends4 + tlv(2, ''))}hello`),
    sent('a long TLV', `${binary(0x21, 0x11, ends4 + tlv(2, 'x'.repeat(1000)))}hello`),
    sent('a TLV that is cut short', `${binary(0x21, 0x11, `${ends4}\x02\0\x05ab`)}hello`),
    sent('a TLV without a length', `${binary(0x21, 0x11, `${ends4}\x02\0`)}hello`),
    sent('another version', `${binary(0x31, 0x11, ends4)}hello`),
    sent('another command', `${binary(0x22, 0x11, ends4)}hello`),
    sent('another family', `${binary(0x21, 0x31, ends4)}hello`),
    sent('another transport', `${binary(0x21, 0x10, ends4)}hello`),
    sent('addresses that are cut short', `${binary(0x21, 0x11, ends4.slice(0, 8))}hello`),
    sent('an address of nobody', `${binary(0x21, 0x11, `\0\0\0\0${ends4.slice(4)}`)}hello`),
    sent('a header that does not end', binary(0x21, 0x11, ends4, 200)),
    sent('a header that does not end, and the end', [binary(0x21, 0x11, ends4, 200), 30, 'end']),
  ],
);

const optional = carried(
  'PROXY protocol, allowed',
  [proxyProtocol('{ allow_requests_without_proxy_protocol: true, stat_prefix: edge }')],
  any,
  [
    sent('version 1', 'PROXY TCP4 10.1.2.3 10.4.5.6 1000 443\r\nhello'),
    sent('version 2', `${binary(0x21, 0x11, ends4)}hello`),
    sent('none', 'hello'),
    sent('none, as far as one can see', ['PRO', 30, 'TO']),
    sent('broken', 'PROXY TCP4 x\r\nhello'),
  ],
);

const only = (versions: string, more = ''): Group =>
  carried(
    `PROXY protocol, without ${versions}${more}`,
    [proxyProtocol(`{ disallowed_versions: [${versions}]${more} }`)],
    any,
    [
      sent('version 1', 'PROXY TCP4 10.1.2.3 10.4.5.6 1000 443\r\nhello'),
      sent('version 2', `${binary(0x21, 0x11, ends4)}hello`),
      sent('none', 'hello, who are you?'),
    ],
  );

const beforeTls = carried(
  'PROXY protocol before TLS, chosen by SNI',
  [proxyProtocol(), tlsInspector()],
  { a: '{ server_names: [a.test] }', other: '{ transport_protocol: tls }', plain: '{}' },
  [
    sent(
      'a hello behind it',
      Buffer.concat([Buffer.from('PROXY TCP4 10.1.2.3 10.4.5.6 1000 443\r\n'), usual('a.test')]),
    ),
    sent('in pieces', [
      'PROXY TCP4 10.1.2.3 10.4.5.6 10',
      20,
      Buffer.concat([Buffer.from('00 443\r\n'), usual('a.test').subarray(0, 20)]),
      20,
      usual('a.test').subarray(20),
    ]),
    sent('plain text behind it', 'PROXY TCP4 10.1.2.3 10.4.5.6 1000 443\r\nhello'),
    sent('none', usual('a.test')),
  ],
);

const terminated: Group = {
  name: 'listener: PROXY protocol before a handshake',
  config: http({
    transport: serverTls(),
    hcm: '{ use_remote_address: true }',
    listenerLog: told,
    listener: JSON.stringify({ listener_filters: [proxyProtocol(), tlsInspector()], listener_filters_timeout: '0.4s' }),
  }),
  stats: listenerStats,
  rows: [
    {
      name: 'its addresses are the client’s',
      tls: { before: 'PROXY TCP4 10.1.2.3 10.4.5.6 1000 443\r\n' },
      logLines: 2,
      ignores: /cipher|BYTES_SENT/,
    },
  ],
};

/** Groups about the PROXY protocol's header in front of everything. */
export const proxyProtocolHeaders: readonly Group[] = [
  version1,
  version2,
  optional,
  only('V1'),
  only('V2'),
  only('V1', ', allow_requests_without_proxy_protocol: true'),
  beforeTls,
  terminated,
];
