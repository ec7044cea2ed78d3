import type { Group, Row } from '../../row.ts';
import { hello, protocols, serverName } from '../../../unit/codec/client-hello/hellos.ts';
import { carried, proxyProtocol, sent, tlsInspector } from './chains.ts';

/** A client that says it comes `from` there and goes `to` there. */
function via(from: string, to: string, bytes = 'hello', name = ''): Row {
  const [source, sourcePort] = split(from);
  const [target, targetPort] = split(to);
  const family = source.includes(':') ? 'TCP6' : 'TCP4';
  const line = `PROXY ${family} ${source} ${target} ${sourcePort} ${targetPort}\r\n`;
  // In one piece: what was not read when it is closed decides how.
  return sent(name === '' ? `${from} → ${to}` : name, line + bytes);
}

function split(address: string): [string, string] {
  const colon = address.lastIndexOf(':');
  return [address.slice(0, colon).replaceAll(/[[\]]/g, ''), address.slice(colon + 1)];
}

const asking = (name: string | null, ...alpn: string[]): Buffer =>
  hello({
    extensions: [...(name === null ? [] : [serverName(name)]), ...(alpn.length === 0 ? [] : [protocols(...alpn)])],
  });

const somewhere = '192.0.2.9:4000';

const ports = carried(
  'levels: destination port',
  [proxyProtocol()],
  { any: '{}', eighty: '{ destination_port: 80 }', ssl: '{ destination_port: 443, server_names: [a.test] }' },
  [
    via(somewhere, '10.0.0.1:80'),
    via(somewhere, '10.0.0.1:81'),
    via(somewhere, '10.0.0.1:443', 'hello', 'no way back to a port that is not named'),
  ],
);

const ranges = carried(
  'levels: destination address',
  [proxyProtocol()],
  {
    wide: '{ prefix_ranges: [{ address_prefix: 10.0.0.0, prefix_len: 8 }] }',
    narrow: '{ prefix_ranges: [{ address_prefix: 10.1.2.3, prefix_len: 16 }] }',
    host: '{ prefix_ranges: [{ address_prefix: 10.1.2.3, prefix_len: 32 }] }',
    two: '{ prefix_ranges: [{ address_prefix: 172.16.0.0, prefix_len: 12 }, { address_prefix: 192.168.0.0, prefix_len: 16 }] }',
    six: '{ prefix_ranges: [{ address_prefix: "2001:db8::", prefix_len: 33 }] }',
    port: '{ destination_port: 99, prefix_ranges: [{ address_prefix: 10.1.2.3, prefix_len: 32 }] }',
  },
  [
    via(somewhere, '10.9.9.9:80'),
    via(somewhere, '10.1.9.9:80'),
    via(somewhere, '10.1.2.3:80'),
    via(somewhere, '10.1.2.3:99'),
    via(somewhere, '10.1.2.4:99', 'hello', 'the port comes first'),
    via(somewhere, '172.31.255.255:1'),
    via(somewhere, '192.168.4.5:1'),
    via(somewhere, '8.8.8.8:1', 'hello', 'no range holds it'),
    via('[2001:db8::1]:7', '[2001:db8:7fff::1]:80'),
    via('[2001:db8::1]:7', '[2001:db8:8000::1]:80'),
  ],
);

const names = carried(
  'levels: server names',
  [tlsInspector()],
  {
    none: '{}',
    exact: '{ server_names: [www.a.test, other.test] }',
    deep: '{ server_names: ["*.a.test"] }',
    wide: '{ server_names: ["*.test"] }',
    upper: '{ server_names: [UPPER.Example] }',
    stuck: '{ server_names: [stuck.test], transport_protocol: raw_buffer }',
  },
  [
    sent('exact', asking('www.a.test')),
    sent('exact, the second', asking('other.test')),
    sent('in capitals', asking('WWW.A.Test')),
    sent('configured in capitals', asking('upper.example')),
    sent('the longest wildcard', asking('b.a.test')),
    sent('a wildcard holds several labels', asking('c.b.a.test')),
    sent('a wildcard does not hold the name itself', asking('a.test')),
    sent('the shortest wildcard', asking('b.test')),
    sent('no wildcard holds a label alone', asking('test')),
    sent('a name that nobody has', asking('a.example')),
    sent('no name', asking(null)),
    sent('plain text', 'hello'),
    sent('a name that ends in a dot', asking('www.a.test.')),
    sent('a name that begins with a dot', asking('.a.test')),
    sent('no way back to a wildcard', asking('stuck.test')),
  ],
);

const transports = carried(
  'levels: transport and application protocols',
  [tlsInspector()],
  {
    raw: '{ transport_protocol: raw_buffer }',
    tls: '{ transport_protocol: tls }',
    h2: '{ transport_protocol: tls, application_protocols: [h2] }',
    istio: '{ transport_protocol: tls, application_protocols: [istio, istio-http/1.1, istio-h2, istio-peer-exchange] }',
    named: '{ server_names: [a.test], transport_protocol: tls, application_protocols: [http/1.1] }',
  },
  [
    sent('plain text', 'hello'),
    sent('TLS', asking('x.test')),
    sent('h2', asking('x.test', 'h2')),
    sent('the client’s order decides', asking('x.test', 'istio-h2', 'h2')),
    sent('the client’s order decides, the other way', asking('x.test', 'foo', 'h2', 'istio')),
    sent('protocols that nobody has', asking('x.test', 'http/1.1')),
    sent('the name comes first', asking('a.test', 'h2')),
    sent('the name and its protocol', asking('a.test', 'h2', 'http/1.1')),
  ],
);

const sources = carried(
  'levels: sources',
  [proxyProtocol()],
  {
    any: '{}',
    local: '{ source_type: SAME_IP_OR_LOOPBACK }',
    external: '{ source_type: EXTERNAL, source_prefix_ranges: [{ address_prefix: 10.0.0.0, prefix_len: 8 }] }',
    port: '{ source_type: EXTERNAL, source_prefix_ranges: [{ address_prefix: 10.0.0.0, prefix_len: 8 }], source_ports: [1000, 2000] }',
    narrow:
      '{ source_type: EXTERNAL, source_prefix_ranges: [{ address_prefix: 10.1.0.0, prefix_len: 16 }], source_ports: [3000] }',
  },
  [
    via('127.0.0.1:5', '10.0.0.1:80'),
    via('127.0.0.2:5', '10.0.0.1:80'),
    via('10.0.0.1:5', '10.0.0.1:80', 'hello', 'from the address that it goes to'),
    via('[::1]:5', '[2001:db8::1]:80'),
    via('10.2.0.1:5', '10.0.0.1:80'),
    via('10.2.0.1:2000', '10.0.0.1:80'),
    via('10.1.0.1:3000', '10.0.0.1:80'),
    via('10.1.0.1:1000', '10.0.0.1:80', 'hello', 'the range comes before the port'),
    via('192.0.2.1:1000', '10.0.0.1:80', 'hello', 'no way back to any source'),
  ],
);

const direct = carried(
  'levels: the direct source',
  [proxyProtocol()],
  {
    near: '{ direct_source_prefix_ranges: [{ address_prefix: 127.0.0.0, prefix_len: 8 }] }',
    far: '{ direct_source_prefix_ranges: [{ address_prefix: 10.0.0.0, prefix_len: 8 }] }',
  },
  [via('10.0.0.1:5', '10.0.0.1:80')],
);

const otherwise = carried(
  'levels: default_filter_chain',
  [tlsInspector()],
  { named: '{ server_names: [a.test], application_protocols: [h2] }' },
  [sent('named', asking('a.test', 'h2')), sent('not named', asking('b.test')), sent('half of it', asking('a.test'))],
  {
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
  },
);

/** Groups about which filter chain a connection gets. */
export const chainLevels: readonly Group[] = [ports, ranges, names, transports, sources, direct, otherwise];
