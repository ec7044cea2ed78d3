import { load } from 'js-yaml';
import type { Yaml } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { hello, protocols, serverName } from '../../../unit/codec/client-hello/hellos.ts';
import { carried, httpInspector, proxyProtocol, sent, tlsInspector } from './chains.ts';

const inputType = 'type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.';
const input = (name: string): Yaml => ({ name, typed_config: { '@type': `${inputType}${name}Input` } });
const chain = (name: string): Yaml => ({
  action: { name, typed_config: { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: name } },
});
const nested = (matcher: Yaml): Yaml => ({ matcher });
const tree = (name: string, kind: 'exact' | 'prefix', map: Yaml, otherwise: Yaml | null = null): Yaml => ({
  matcher_tree: { input: input(name), [`${kind}_match_map`]: { map } },
  ...(otherwise === null ? {} : { on_no_match: otherwise }),
});
const list = (matchers: readonly (readonly [Yaml, Yaml])[], otherwise: Yaml | null = null): Yaml => ({
  matcher_list: { matchers: matchers.map(([predicate, on_match]) => ({ predicate, on_match })) },
  ...(otherwise === null ? {} : { on_no_match: otherwise }),
});
const is = (name: string, match: string): Yaml => ({
  single_predicate: { input: input(name), value_match: load(match) as Yaml },
});
const range = (address_prefix: string, prefix_len: number): Yaml => ({ address_prefix, prefix_len });
const inRange = (name: string, ...ranges: readonly Yaml[]): Yaml => ({
  single_predicate: {
    input: input(name),
    custom_match: {
      name: 'ip',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.matching.input_matchers.ip.v3.Ip',
        cidr_ranges: ranges,
        stat_prefix: 'x',
      },
    },
  },
});
const ipTree = (name: string, matchers: readonly Yaml[], otherwise: Yaml | null = null): Yaml => ({
  matcher_tree: {
    input: input(name),
    custom_match: {
      name: 'ip',
      typed_config: { '@type': 'type.googleapis.com/xds.type.matcher.v3.IPMatcher', range_matchers: matchers },
    },
  },
  ...(otherwise === null ? {} : { on_no_match: otherwise }),
});

const chains = { a: '{}', b: '{}', c: '{}', d: '{}' };

const fallback = {
  default_filter_chain: {
    name: 'default',
    filters: [
      {
        name: 'envoy.filters.network.tcp_proxy',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
          stat_prefix: 'default',
          cluster: 'bye',
        },
      },
    ],
  },
};

function matched(name: string, matcher: Yaml, rows: readonly Row[], more: Yaml = {}): Group {
  const filters = [proxyProtocol('{ allow_requests_without_proxy_protocol: true }'), tlsInspector(), httpInspector()];
  return carried(`filter_chain_matcher: ${name}`, filters, chains, rows, { filter_chain_matcher: matcher, ...more });
}

const from = (ends: string): Row =>
  sent(ends, `PROXY ${ends.includes('::') ? 'TCP6' : 'TCP4'} ${ends}\r\nGET / HTTP/1.1\r\n\r\n`);
const asking = (name: string, ...alpn: string[]): Row =>
  sent(
    `${name}, ${alpn.join(' ')}`,
    hello({ extensions: [serverName(name), ...(alpn.length === 0 ? [] : [protocols(...alpn)])] }),
  );

/** Groups about filter chains that a matcher names. */
export const chainMatchers: readonly Group[] = [
  matched(
    'exact',
    tree('DestinationPort', 'exact', { 80: chain('a'), 443: chain('b'), 99: chain('nobody') }, chain('c')),
    ['80', '443', '99', '1'].map((port) => from(`10.0.0.1 10.0.0.2 1000 ${port}`)),
  ),
  matched(
    'exact, and a default chain',
    tree('DestinationPort', 'exact', { 80: chain('a'), 99: chain('nobody') }),
    ['80', '99', '1'].map((port) => from(`10.0.0.1 10.0.0.2 1000 ${port}`)),
    fallback,
  ),
  matched('prefixes', tree('ServerName', 'prefix', { a: chain('a'), 'a.b': chain('b'), 'a.b.c': chain('c') }), [
    asking('a.b.c.test'),
    asking('a.b.x.test'),
    asking('a.x.test'),
    asking('x.test'),
  ]),
  matched(
    'nested',
    tree(
      'DestinationPort',
      'exact',
      {
        80: nested(tree('SourceIP', 'exact', { '10.0.0.1': chain('a') }, chain('b'))),
        81: nested(tree('SourceIP', 'exact', { '10.0.0.1': chain('a') })),
      },
      chain('c'),
    ),
    ['10.0.0.1 10.0.0.2 1 80', '10.0.0.9 10.0.0.2 1 80', '10.0.0.1 10.0.0.2 1 81', '10.0.0.9 10.0.0.2 1 81'].map(from),
    fallback,
  ),
  matched(
    'prefixes, nested without a match',
    tree('SourceIP', 'prefix', {
      '10.': chain('a'),
      '10.1': nested(tree('DestinationPort', 'exact', { 80: chain('b') })),
    }),
    ['10.1.0.1 10.0.0.2 1 80', '10.1.0.1 10.0.0.2 1 81', '10.2.0.1 10.0.0.2 1 81', '192.0.2.1 10.0.0.2 1 81'].map(from),
  ),
  matched(
    'a list',
    list(
      [
        [is('ServerName', '{ exact: a.test }'), chain('a')],
        [is('ServerName', '{ suffix: .TEST, ignore_case: true }'), chain('b')],
        [is('ServerName', '{ safe_regex: { google_re2: {}, regex: "[a-z]+[.]example" } }'), chain('c')],
      ],
      chain('d'),
    ),
    [asking('a.test'), asking('b.test'), asking('xyz.example'), asking('1.example'), from('10.0.0.1 10.0.0.2 1 80')],
  ),
  matched(
    'and, or, not',
    list([
      [
        {
          and_matcher: {
            predicate: [is('TransportProtocol', '{ exact: tls }'), is('ApplicationProtocol', '{ contains: h2 }')],
          },
        },
        chain('a'),
      ],
      [
        {
          or_matcher: {
            predicate: [is('SourcePort', '{ exact: "1" }'), is('ApplicationProtocol', "{ exact: \"'foo','bar'\" }")],
          },
        },
        chain('b'),
      ],
      [{ not_matcher: is('ServerName', '{ prefix: x }') }, chain('c')],
    ]),
    [
      asking('a.test', 'h2', 'http/1.1'),
      asking('a.test', 'foo', 'bar'),
      asking('a.test', 'http/1.1'),
      asking('x.test', 'http/1.1'),
      from('10.0.0.1 10.0.0.2 1 80'),
      from('10.0.0.1 10.0.0.2 2 80'),
    ],
  ),
  matched(
    'a list, nested without a match',
    list(
      [
        [is('TransportProtocol', '{ exact: raw_buffer }'), nested(tree('SourcePort', 'exact', { 1: chain('a') }))],
        [is('SourceIP', '{ prefix: "10." }'), chain('b')],
      ],
      chain('c'),
    ),
    ['10.0.0.1 10.0.0.2 1 80', '10.0.0.1 10.0.0.2 2 80', '192.0.2.1 10.0.0.2 2 80'].map(from),
  ),
  matched(
    'source types',
    tree('SourceType', 'exact', { local: chain('a') }, chain('b')),
    ['127.0.0.1 10.0.0.2 1 80', '127.0.0.2 10.0.0.2 1 80', '10.0.0.2 10.0.0.2 1 80', '::1 2001:db8::1 1 80'].map(from),
  ),
  matched(
    'direct sources',
    tree('DirectSourceIP', 'exact', { '127.0.0.1': chain('a') }),
    ['10.0.0.1 10.0.0.2 1 80'].map(from),
  ),
  matched(
    'ranges of addresses',
    ipTree(
      'DestinationIP',
      [
        { ranges: [range('10.0.0.0', 8), range('2001:db8::', 32)], on_match: chain('a') },
        { ranges: [range('10.1.0.0', 16)], on_match: nested(tree('DestinationPort', 'exact', { 80: chain('b') })) },
        {
          ranges: [range('10.1.1.0', 24)],
          on_match: nested(tree('DestinationPort', 'exact', { 81: chain('c') })),
        },
        { ranges: [range('10.1.2.0', 24)], on_match: nested(tree('DestinationPort', 'exact', { 81: chain('c') })) },
      ],
      chain('d'),
    ),
    [
      '192.0.2.1 10.9.9.9 1 80',
      '192.0.2.1 10.1.9.9 1 80',
      '192.0.2.1 10.1.9.9 1 99',
      '192.0.2.1 10.1.1.1 1 81',
      '192.0.2.1 10.1.1.1 1 80',
      '192.0.2.1 11.0.0.1 1 80',
      '2001:db8::9 2001:db8::1 1 80',
      '2001:db8::9 2001:db9::1 1 80',
    ].map(from),
  ),
  matched(
    'ranges that are exclusive',
    ipTree('DestinationIP', [
      { ranges: [range('10.0.0.0', 8)], on_match: chain('a'), exclusive: true },
      { ranges: [range('10.1.0.0', 16)], on_match: nested(tree('DestinationPort', 'exact', { 80: chain('b') })) },
    ]),
    ['192.0.2.1 10.1.9.9 1 80', '192.0.2.1 10.1.9.9 1 99', '192.0.2.1 10.2.9.9 1 99'].map(from),
    fallback,
  ),
  matched(
    'a list of ranges',
    list([[inRange('SourceIP', range('10.0.0.0', 8), range('::1', 128)), chain('a')]], chain('b')),
    ['10.0.0.1 10.0.0.2 1 80', '11.0.0.1 10.0.0.2 1 80', '::1 ::2 1 80'].map(from),
  ),
  matched('nothing but what is otherwise', { on_no_match: chain('b') }, [from('10.0.0.1 10.0.0.2 1 80')]),
];
