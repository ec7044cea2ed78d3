/** The whole way from text to plain data, with all decoders: what is refused, where, and how often. */
import { expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/control/configuration.ts';
import { ExtensionTable } from '../../../src/control/extension-table.ts';
import { extensionEntries } from '../../../src/extensions.ts';

const type = (name: string): string => `"@type": type.googleapis.com/envoy.extensions.${name}`;
const tcpProxy = `{name: tcp, typed_config: {${type('filters.network.tcp_proxy.v3.TcpProxy')}, stat_prefix: t, cluster: c}}`;
const address = '{socket_address: {address: 127.0.0.1, port_value: 0}}';

async function load(yaml: string): Promise<Awaited<ReturnType<typeof loadConfiguration>>> {
  const overrides = { serviceNode: '', serviceCluster: '', serviceZone: '', hasLogFormat: false, statsTags: [] };
  const source = { overrideYaml: yaml, allowUnknown: false, ...overrides };
  return await loadConfiguration(source, new ExtensionTable(extensionEntries));
}

/** `line:column message` of every problem. */
async function problems(yaml: string): Promise<string[]> {
  const configuration = await load(yaml);
  if (!configuration.isRefused) return [];
  return configuration.problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

function listener(...lines: readonly string[]): string {
  return ['static_resources:', '  listeners:', '  - name: l', ...lines.map((line) => `    ${line}`)].join('\n');
}

test('what cannot be a transport socket is refused once, where it is', async () => {
  const tls = `{name: tls, typed_config: {${type('transport_sockets.alts.v3.Alts')}, handshaker_service: a}}`;
  const text = listener(
    `address: ${address}`,
    'filter_chains:',
    `- transport_socket: ${tls}`,
    `  filters: [${tcpProxy}]`,
  );
  expect(await problems(text)).toEqual([
    "6:37 extension 'tls' (envoy.transport_sockets.downstream) of type " +
      "'envoy.extensions.transport_sockets.alts.v3.Alts' is not supported by sekisho",
  ]);
});

test('a raw_buffer is a transport socket of listeners and of clusters', async () => {
  const socket = `{name: raw, typed_config: {${type('transport_sockets.raw_buffer.v3.RawBuffer')}}}`;
  const text = listener(
    `address: ${address}`,
    `filter_chains: [{transport_socket: ${socket}, filters: [${tcpProxy}]}]`,
  );
  expect(await problems(`${text}\n  clusters: [{name: c, transport_socket: ${socket}}]`)).toEqual([]);
});

test('a UDP listener is refused for that alone', async () => {
  const udp = 'address: {socket_address: {protocol: UDP, address: 127.0.0.1, port_value: 0}}';
  expect(await problems(listener(udp))).toEqual([
    "4:42 field 'protocol' is UDP: only TCP listeners are supported by sekisho",
  ]);
});

test('an address that only a resolver understands is refused by the name of the resolver', async () => {
  const reverse = 'address: {socket_address: {address: "rc://a:b:c@d:1", port_value: 0, resolver_name: r}}';
  const chains = `filter_chains: [{filters: [${tcpProxy}]}]`;
  expect(await problems(listener(reverse, chains))).toEqual(["4:89 field 'resolver_name' is not supported by sekisho"]);
});

test('with a matcher, filter chains may match alike', async () => {
  const chain = (name: string): string => `{name: ${name}, filters: [${tcpProxy}]}`;
  const chains = `filter_chains: [${chain('a')}, ${chain('b')}]`;
  const equal = "error adding listener '127.0.0.1:0': filter chain 'b' has the same matching rules defined as 'a'";
  expect(await problems(listener(`address: ${address}`, chains))).toEqual([expect.stringContaining(equal)]);
  const matcher = `filter_chain_matcher: {matcher_list: {matchers: []}}`;
  const found = await problems(listener(`address: ${address}`, chains, matcher));
  expect(found.filter((line) => line.includes('same matching rules'))).toEqual([]);
});

test('nothing is said of the order of filters when one of them is unknown', async () => {
  const zookeeper = `{name: z, typed_config: {${type('filters.network.zookeeper_proxy.v3.ZooKeeperProxy')}, stat_prefix: z}}`;
  const text = (first: string): string =>
    listener(`address: ${address}`, `filter_chains: [{filters: [${first}, ${tcpProxy}]}]`);
  expect(await problems(text(zookeeper))).toEqual([
    expect.stringMatching(/ZooKeeperProxy' is not supported by sekisho$/),
  ]);
  expect(await problems(text(tcpProxy))).toEqual([
    expect.stringContaining('must be the last filter in a network filter chain'),
  ]);
});

test('a cluster says what it wants of its connections in typed_extension_protocol_options', async () => {
  const cluster = (options: string): string =>
    [
      'static_resources:',
      '  clusters:',
      '  - name: c',
      '    typed_extension_protocol_options:',
      '      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:',
      `        ${type('upstreams.http.v3.HttpProtocolOptions')}`,
      '        common_http_protocol_options: {max_requests_per_connection: 7}',
      `        explicit_http_config: {${options}}`,
    ].join('\n');
  const accepted = await load(cluster('http_protocol_options: {}'));
  expect(accepted.isRefused ? null : accepted.data.clusters[0]).toMatchObject({
    http: { maxRequestsPerConnection: 7 },
  });
  expect(await problems(cluster('http3_protocol_options: {}'))).toEqual([
    "8:32 field 'http3_protocol_options' is not supported by sekisho",
  ]);
});

test('what no decoder knows of a route’s filter is refused at its own place', async () => {
  const lua = `{${type('filters.http.lua.v3.LuaPerRoute')}, disabled: true}`;
  const optional = '{"@type": type.googleapis.com/envoy.config.route.v3.FilterConfig, is_optional: true, config: ';
  const connectionManager = (perFilter: string): string =>
    listener(
      `address: ${address}`,
      'filter_chains:',
      '- filters:',
      '  - name: http',
      '    typed_config:',
      `      ${type('filters.network.http_connection_manager.v3.HttpConnectionManager')}`,
      '      stat_prefix: h',
      `      http_filters: [{name: router, typed_config: {${type('filters.http.router.v3.Router')}}}]`,
      `      route_config: {typed_per_filter_config: {lua: ${perFilter}}}`,
    );
  expect(await problems(connectionManager(lua))).toEqual([
    expect.stringMatching(/^12:52 extension 'lua' .*LuaPerRoute' is not supported by sekisho$/),
  ]);
  expect(await problems(connectionManager(`${optional}${lua}}`))).toEqual([]);
});

test('a name that is missing is said once, whoever looks for it', async () => {
  const text = listener(
    `address: ${address}`,
    'filter_chains:',
    '- filters:',
    '  - name: http',
    '    typed_config:',
    `      ${type('filters.network.http_connection_manager.v3.HttpConnectionManager')}`,
    '      stat_prefix: h',
    `      http_filters: [{name: router, typed_config: {${type('filters.http.router.v3.Router')}}}]`,
    '      route_config:',
    '        virtual_hosts:',
    '        - {name: a, domains: [x.example], routes: [{match: {prefix: /}, route: {cluster: nowhere}}]}',
    '        - {name: b, domains: [X.example]}',
  );
  expect(await problems(text)).toEqual([
    expect.stringContaining('there is no cluster "nowhere"'),
    expect.stringContaining('the domain "X.example" is there already'),
  ]);
});

test('what is not supported is said beside what is wrong, and not of what could not be read', async () => {
  const cluster = '{name: c, connection_pool_per_downstream_connection: true, lb_polcy: RANDOM}';
  const tls = `{name: tls, typed_config: {${type('transport_sockets.tls.v3.DownstreamTlsContext')}, nonsense: 1}}`;
  const chain = `{transport_socket: ${tls}, filters: [${tcpProxy}]}`;
  const text = listener(`address: ${address}`, 'enable_mptcp: true', `filter_chains: [${chain}]`);
  expect(await problems(`${text}\n  clusters: [${cluster}]`)).toEqual([
    "5:19 field 'enable_mptcp' is not supported by sekisho",
    expect.stringContaining('DownstreamTlsContext has no field "nonsense"'),
    "7:67 field 'connection_pool_per_downstream_connection' is not supported by sekisho",
    expect.stringContaining('has no field "lb_polcy"'),
  ]);
});

/** A listener with a certificate that SDS brings from here. */
function overSds(source: string): string {
  const secret = `{name: a, sds_config: {resource_api_version: V3, ${source}}}`;
  const context = `common_tls_context: {tls_certificate_sds_secret_configs: [${secret}]}`;
  const tls = `{name: tls, typed_config: {${type('transport_sockets.tls.v3.DownstreamTlsContext')}, ${context}}}`;
  const chain = [`- transport_socket: ${tls}`, `  filters: [${tcpProxy}]`];
  return listener(`address: ${address}`, 'filter_chains:', ...chain);
}

test('who wants secrets by SDS says who it is', async () => {
  const api = 'grpc_services: [{envoy_grpc: {cluster_name: c}}]';
  const source = `api_config_source: {api_type: GRPC, transport_api_version: V3, ${api}}`;
  expect((await problems(overSds(source))).join()).toContain("node 'id' and 'cluster' are required");
  const named = `${overSds(source)}\nnode: {id: me, cluster: mine}`;
  expect((await problems(named)).join()).not.toContain('are required');
});

test('secrets over ADS need an ads_config', async () => {
  const text = `${overSds('ads: {}')}\nnode: {id: me, cluster: mine}`;
  expect((await problems(text)).join()).toContain('there is no ads_config for it to come over');
});

test('stats are evicted after so many flushes, not after parts of one', async () => {
  const said = '2:1 stats_eviction_interval must be a multiple of stats_flush_interval';
  const told = await problems('stats_flush_interval: 5s\nstats_eviction_interval: 7s\n');
  expect(told.map((problem) => problem.slice(problem.indexOf(' ')))).toEqual([said.slice(said.indexOf(' '))]);
  const taken = await load('stats_eviction_interval: 60s\n');
  expect(taken.isRefused ? taken.problems : taken.data.statsEvictionMs).toBe(60_000);
});
