/** Small configurations and what Envoy 1.39.3 says of them; `test/peers/validate` asks it again. */
export interface Verdict {
  readonly name: string;
  readonly text: string;
  readonly isAccepted: boolean;
  /** The name's ending decides how Envoy reads the file. */
  readonly extension: 'yaml' | 'json';
}

function accepted(name: string, text: string, extension: Verdict['extension'] = 'yaml'): Verdict {
  return { name, text, isAccepted: true, extension };
}

function refused(name: string, text: string, extension: Verdict['extension'] = 'yaml'): Verdict {
  return { name, text, isAccepted: false, extension };
}

/** A bootstrap with one cluster that has more fields. */
function cluster(fields: string): string {
  return `static_resources: {clusters: [{name: c, connect_timeout: 1s, ${fields}}]}`;
}

function node(fields: string): string {
  return `node: {${fields}}`;
}

function options(content: string): string {
  return cluster(
    `typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: ${content}}`,
  );
}

const optionsType = 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const explicit = 'explicit_http_config: {http_protocol_options: {}}';

function filterChain(filter: string): string {
  return `
node: {id: a, cluster: b}
static_resources:
  listeners:
  - name: l
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: f
        typed_config:
${filter.replaceAll(/^/gm, '          ')}
  clusters: [{name: c, connect_timeout: 1s}]
`;
}

export function connectionManager(fields: string): string {
  return filterChain(`'@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
stat_prefix: x
http_filters:
- {name: router, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
${fields}`);
}

function route(action: string, more = ''): string {
  return connectionManager(
    `route_config: {name: r, ${more} virtual_hosts: [{name: v, domains: ['*'], routes: [{match: {prefix: /}, ${action}}]}]}`,
  );
}

function match(fields: string): string {
  return connectionManager(
    `route_config: {virtual_hosts: [{name: v, domains: ['*'], routes: [{match: {${fields}}, route: {cluster: c}}]}]}`,
  );
}

function domains(...lists: string[]): string {
  const hosts = lists.map((list, index) => `{name: v${index}, domains: [${list}]}`);
  return connectionManager(`route_config: {name: r, virtual_hosts: [${hosts.join(', ')}]}`);
}

function tcpProxy(fields: string): string {
  return filterChain(`'@type': type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
stat_prefix: x
${fields}`);
}

const unknownSource =
  'api_config_source: {api_type: GRPC, transport_api_version: V3, grpc_services: [{envoy_grpc: {cluster_name: nope}}]}';

const texts: readonly Verdict[] = [
  accepted('an empty object', '{}'),
  refused('an empty file', ''),
  refused('only a comment', '# nothing'),
  refused('a scalar', 'foo'),
  refused('a list', '[]'),
  refused('a list that does not end', 'admin: {}\na: [\n'),
  refused('an unknown field', 'static_resources: {clustrs: []}'),
  refused('@type at the root', "'@type': foo\nstatic_resources: {}"),
  refused('a field in the wrong case', 'Static_Resources: {}'),
  refused('a field without a name', "'': {}"),
  refused('a number as a key', '1: 2'),
  refused('null as a key', '~: 2'),
  refused('a list as a key', '[a]: 2'),
  accepted('camelCase', 'staticResources: {clusters: [{name: c, connectTimeout: 1s}]}'),
  accepted('both names of a field', 'staticResources: {clusters: []}\nstatic_resources: {clusters: [{name: c}]}'),
  accepted('two documents', '---\nstatic_resources: {}\n---\nfoo: 1'),
  accepted('what follows the end', 'static_resources: {}\n...\n{foo: 1}'),
  accepted('CRLF', 'static_resources:\r\n  clusters: []\r\n'),
  accepted('a byte order mark', '\uFEFFstatic_resources: {}'),
  accepted('an ignored key', `!ignore foo: 1\n${cluster('')}`),
  refused('an ignored value', `foo: !ignore 1\n${cluster('')}`),
  accepted('an alias', 'node: {metadata: {a: &x {b: 1}, c: *x}}'),
  refused('a merge key', 'static_resources: {clusters: [&a {name: c}, {<<: *a, name: d}]}'),
  accepted('a key twice, the last is right', cluster('lb_policy: FOO, lb_policy: RANDOM')),
  refused('a key twice, the last is wrong', cluster('lb_policy: RANDOM, lb_policy: FOO')),
  accepted('lists 97 deep in a struct', node(`metadata: {a: ${'['.repeat(97)}${']'.repeat(97)}}`)),
  refused('lists 98 deep in a struct', node(`metadata: {a: ${'['.repeat(98)}${']'.repeat(98)}}`)),
  accepted('objects 97 deep', node(`metadata: {a: ${'{a: '.repeat(97)}${'}'.repeat(97)}}`)),
  refused('objects 98 deep', node(`metadata: {a: ${'{a: '.repeat(98)}${'}'.repeat(98)}}`)),
  accepted('JSON', '{"static_resources": {"clusters": [{"name": "c", "connect_timeout": "1s"}]}}', 'json'),
  accepted('lenient JSON', `{static_resources: {"clusters": [{"name": 'c', "connect_timeout": "1s",}]}}`, 'json'),
  refused('YAML as JSON', 'static_resources: {}', 'json'),
  refused('text after JSON', '{"static_resources": {}} x', 'json'),
  refused('a word in JSON', '{"node": {"id": foo}}', 'json'),
];

const scalars: readonly Verdict[] = [
  accepted('octal', cluster('per_connection_buffer_limit_bytes: 010')),
  refused('octal as in YAML 1.2', cluster('per_connection_buffer_limit_bytes: 0o10')),
  accepted('hexadecimal', cluster('per_connection_buffer_limit_bytes: 0x10')),
  refused('an underscore in a number', cluster('per_connection_buffer_limit_bytes: 1_000')),
  accepted('an exponent', cluster('per_connection_buffer_limit_bytes: 1e3')),
  accepted('a whole number with a point', cluster('per_connection_buffer_limit_bytes: 1.0')),
  refused('a fraction for a whole number', cluster('per_connection_buffer_limit_bytes: 1.5')),
  accepted('a number in quotes', cluster("per_connection_buffer_limit_bytes: '10'")),
  refused('a number in quotes with a space', cluster("per_connection_buffer_limit_bytes: ' 10'")),
  accepted('the largest number of 32 bits', cluster('per_connection_buffer_limit_bytes: 4294967295')),
  refused('more than 32 bits', cluster('per_connection_buffer_limit_bytes: 4294967296')),
  refused('a negative number', cluster('per_connection_buffer_limit_bytes: -1')),
  accepted('null', cluster('per_connection_buffer_limit_bytes: null')),
  accepted('a tilde', cluster('per_connection_buffer_limit_bytes: ~')),
  accepted('a wrapper as an object', cluster('per_connection_buffer_limit_bytes: {value: 5}')),
  accepted('a wrapper as an empty object', cluster('per_connection_buffer_limit_bytes: {}')),
  refused('a wrapper with another field', cluster('per_connection_buffer_limit_bytes: {value: 5, x: 1}')),
  refused('a wrapper as a list', cluster('per_connection_buffer_limit_bytes: [5]')),
  accepted('true in quotes', cluster("ignore_health_on_host_removal: 'true'")),
  accepted('yes', cluster('ignore_health_on_host_removal: yes')),
  accepted('TRUE', cluster('ignore_health_on_host_removal: TRUE')),
  accepted('TrUe', cluster('ignore_health_on_host_removal: TrUe')),
  accepted('a word for true', cluster("ignore_health_on_host_removal: 't'")),
  accepted('0 in quotes for false', cluster("ignore_health_on_host_removal: '0'")),
  refused('1 for true', cluster('ignore_health_on_host_removal: 1')),
  refused('a word for a boolean', cluster('ignore_health_on_host_removal: maybe')),
  refused('a number for a string', node('id: 5')),
  refused('a hexadecimal number for a string', node('id: 0x1f')),
  refused('a negative number for a string', node('id: -5')),
  refused('a tag on a number for a string', node('id: !!str 5')),
  accepted('a number in quotes for a string', node("id: '5'")),
  accepted('a fraction for a string', node('id: 1.5')),
  accepted('a date for a string', node('id: 2020-01-01')),
  accepted('infinity for a string', node('id: .inf')),
  accepted('a number of 77 bits for a string', node('id: 99999999999999999999999')),
  accepted('not quite octal for a string', node('id: 08')),
  refused('y for a string', node('id: y')),
  refused('NO for a string', node('id: NO')),
  accepted('null for a string', node('id: null')),
  refused('an object for a string', node('id: {a: b}')),
  refused('a list for a string', node('id: [foo]')),
  refused('a string for an object', "node: ''"),
  refused('a list for an object', 'node: [{id: foo}]'),
  accepted('an object for a list', 'static_resources: {clusters: {name: c, connect_timeout: 1s}}'),
  accepted('a list in a list', 'static_resources: {clusters: [[{name: c}]]}'),
  accepted('a string for a list', node('client_features: foo')),
  accepted('lists in lists', node('client_features: [[foo, [bar]], baz]')),
  accepted('null in a list of strings', node('client_features: [null]')),
  refused('a number in a list of strings', node('client_features: [1]')),
  refused('null in a list of clusters', 'static_resources: {clusters: [null]}'),
  refused('a list for a map', cluster('typed_extension_protocol_options: [a]')),
  accepted('a number as the key of a map', cluster('metadata: {filter_metadata: {1: {}}}')),
  refused('a list for a struct', node('metadata: [1]')),
  refused('a string for a struct', node('metadata: foo')),
  refused('text for a double', cluster('common_lb_config: {healthy_panic_threshold: {value: abc}}')),
  accepted('a double', cluster('common_lb_config: {healthy_panic_threshold: {value: 50.5}}')),
  accepted('a hexadecimal double', cluster("common_lb_config: {healthy_panic_threshold: {value: '0x10'}}")),
  refused('not a number', cluster('common_lb_config: {healthy_panic_threshold: {value: NaN}}')),
  refused('infinity', cluster('common_lb_config: {healthy_panic_threshold: {value: Infinity}}')),
  refused('.inf for a double', cluster('common_lb_config: {healthy_panic_threshold: {value: .inf}}')),
  accepted('an enum in lower case', cluster('lb_policy: round_robin')),
  accepted('an enum as a number', cluster('lb_policy: 3')),
  accepted('an enum as a number in quotes', cluster("lb_policy: '3'")),
  accepted('null for an enum', cluster('lb_policy: null')),
  refused('an unknown enum name', cluster('lb_policy: FOO')),
  refused('an unknown enum number', cluster('lb_policy: 99')),
  refused('true for an enum', cluster('lb_policy: true')),
  refused('bytes that are no base64', secret("'@@@'")),
  accepted('bytes in URL-safe base64', secret("'-_-_'")),
  accepted('bytes without padding', secret("'YQ'")),
];

function secret(bytes: string): string {
  return `static_resources: {secrets: [{name: a, generic_secret: {secret: {inline_bytes: ${bytes}}}}]}`;
}

function timeout(value: string): string {
  return `static_resources: {clusters: [{name: c, connect_timeout: ${value}}]}`;
}

const wellKnown: readonly Verdict[] = [
  accepted('a tenth of a second', timeout('0.1s')),
  refused('milliseconds', timeout('100ms')),
  refused('a duration without its unit', timeout('1')),
  accepted('a duration as an object', timeout('{seconds: 1}')),
  refused('an unknown field of a duration', timeout('{second: 1}')),
  refused('a duration of zero', timeout('0s')),
  refused('a negative duration', timeout('-1s')),
  refused('ten decimals', timeout('0.1234567891s')),
  refused('a plus', timeout('+1s')),
  refused('a duration that begins with a point', timeout('.5s')),
  refused('a duration that ends with a point', timeout('5.s')),
  refused('a duration with an exponent', timeout('1e1s')),
  refused('a duration with a space', timeout("'1 s'")),
  refused('a duration without a number', timeout('s')),
  refused('a duration in a list', timeout('[5s]')),
  refused('a duration of more than 10000 years', timeout('315576000001s')),
  refused(
    'an enum whose default is refused',
    cluster('type: EDS, eds_cluster_config: {eds_config: {api_config_source: {transport_api_version: V3}}}'),
  ),
  accepted('an Any', options(`{'@type': ${optionsType}, ${explicit}}`)),
  refused('an unknown type', options(`{'@type': ${optionsType}x}`)),
  refused('a type without a host', options(`{'@type': ${optionsType.slice(20)}, ${explicit}}`)),
  refused('a type with only a slash', options(`{'@type': /${optionsType.slice(20)}, ${explicit}}`)),
  accepted('a type with another host', options(`{'@type': foo.com/x/${optionsType.slice(20)}, ${explicit}}`)),
  refused('a number as a type', options("{'@type': 5}")),
  refused('an Any without its type', options('{a: 1}')),
  refused('a list for an Any', options('[]')),
  refused('an unknown field in an Any', options(`{'@type': ${optionsType}, ${explicit}, foo: 1}`)),
  refused('a broken rule in an Any', options(`{'@type': ${optionsType}}`)),
  refused('two of a oneof', cluster('type: STATIC, cluster_type: {name: x}')),
  accepted('null beside one of a oneof', cluster('type: STATIC, cluster_type: null')),
  accepted(
    'a TypedStruct',
    options(`{'@type': type.googleapis.com/xds.type.v3.TypedStruct, type_url: ${optionsType}, value: {${explicit}}}`),
  ),
  accepted(
    'a TypedStruct of udpa',
    options(`{'@type': type.googleapis.com/udpa.type.v1.TypedStruct, type_url: ${optionsType}, value: {${explicit}}}`),
  ),
  refused(
    'an unknown field in a TypedStruct',
    options(
      `{'@type': type.googleapis.com/xds.type.v3.TypedStruct, type_url: ${optionsType}, value: {foo: 1, ${explicit}}}`,
    ),
  ),
  refused(
    'a broken rule in a TypedStruct',
    options(`{'@type': type.googleapis.com/xds.type.v3.TypedStruct, type_url: ${optionsType}, value: {}}`),
  ),
];

const rules: readonly Verdict[] = [
  refused('string.min_len', "static_resources: {clusters: [{name: '', connect_timeout: 1s}]}"),
  refused('string.pattern', match('path_separated_prefix: /a/')),
  accepted('string.pattern, matched', match('path_separated_prefix: /a')),
  refused(
    'string.well_known_regex of a name',
    route('route: {cluster: c}, request_headers_to_add: [{header: {key: "a\\nb", value: x}}]'),
  ),
  refused('string.well_known_regex of a value', route('redirect: {host_redirect: "a\\nb"}')),
  refused('oneof.required', connectionManager('codec_type: AUTO')),
  refused('any.required', cluster('upstream_config: {name: x}')),
  refused(
    'message.required',
    route('route: {cluster: c, rate_limits: [{actions: [{metadata: {descriptor_key: a}}]}]}'),
  ),
  refused('repeated.min_items', connectionManager('route_config: {virtual_hosts: [{name: v}]}')),
  refused('repeated.items', connectionManager('route_config: {internal_only_headers: ["a\\nb"]}')),
  refused('enum.defined_only', connectionManager('codec_type: 9\nroute_config: {}')),
  refused('uint32.lte', tcpAddress('port_value: 65536')),
  refused('uint32.gte of a wrapper', cluster('http2_protocol_options: {max_concurrent_streams: 0}')),
  refused('uint32.lte of a wrapper', connectionManager('route_config: {}\nmax_request_headers_kb: 9000')),
  refused('uint64.lte', cluster('ring_hash_lb_config: {minimum_ring_size: 8388609}, lb_policy: RING_HASH')),
  refused('double.lte', cluster('common_lb_config: {healthy_panic_threshold: {value: 101}}')),
  refused('duration.gt', cluster('dns_refresh_rate: 0.001s')),
  accepted('duration.gt, just', cluster('dns_refresh_rate: 0.002s')),
  refused(
    'duration.required',
    cluster('health_checks: [{interval: 1s, healthy_threshold: 1, unhealthy_threshold: 1, tcp_health_check: {}}]'),
  ),
  refused(
    'a field that is refused',
    route(
      'route: {cluster: c, rate_limits: [{actions: [{dynamic_metadata: {descriptor_key: a, metadata_key: {key: a, path: [{key: a}]}}}]}]}',
    ),
  ),
  refused(
    'an enum value that is refused',
    cluster(
      'type: EDS, eds_cluster_config: {eds_config: {api_config_source: {api_type: DEPRECATED_AND_UNAVAILABLE_DO_NOT_USE}}}',
    ),
  ),
];

function tcpAddress(port: string): string {
  return `static_resources: {listeners: [{name: l, address: {socket_address: {address: 127.0.0.1, ${port}}}}]}`;
}

const references: readonly Verdict[] = [
  accepted('a known cluster', route('route: {cluster: c}')),
  refused('an unknown cluster', route('route: {cluster: d}')),
  accepted('an unknown cluster that is not looked up', route('route: {cluster: d}', 'validate_clusters: false,')),
  refused('an unknown weighted cluster', route('route: {weighted_clusters: {clusters: [{name: d, weight: 1}]}}')),
  accepted('a cluster by header', route('route: {cluster_header: d}')),
  refused('an unknown mirror', route('route: {cluster: c, request_mirror_policies: [{cluster: d}]}')),
  accepted('a mirror by header', route('route: {cluster: c, request_mirror_policies: [{cluster_header: d}]}')),
  refused('an unknown mirror of the table', route('route: {cluster: c}', 'request_mirror_policies: [{cluster: d}],')),
  accepted(
    'an unknown mirror that no route uses',
    connectionManager('route_config: {request_mirror_policies: [{cluster: d}]}'),
  ),
  refused('an unknown specifier plugin', route('route: {cluster_specifier_plugin: nope}')),
  accepted('tcp_proxy to an unknown cluster', tcpProxy('cluster: d')),
  refused('tcp_proxy to nothing', tcpProxy('')),
  refused('two clusters of one name', 'static_resources: {clusters: [&a {name: c, connect_timeout: 1s}, *a]}'),
  accepted(
    'two virtual hosts of one name',
    connectionManager('route_config: {virtual_hosts: [{name: v, domains: [a]}, {name: v, domains: [b]}]}'),
  ),
  refused('a domain twice', domains('a.test, a.test')),
  refused('a domain in two hosts', domains('a.test', 'A.test')),
  refused('two wildcards', domains('"*"', '"*"')),
  refused('a suffix twice', domains('"*.a", "*.a"')),
  refused('a prefix twice', domains('"a.*", "a.*"')),
  accepted('a domain with and without port', domains('"a.test:80", a.test')),
  accepted('a wildcard inside', domains('"a*b"')),
  refused('a listener without address', 'static_resources: {listeners: [{name: l, filter_chains: [{filters: []}]}]}'),
  refused('an unknown local cluster', 'cluster_manager: {local_cluster_name: nope}'),
  refused(
    'two secrets of one name',
    `static_resources: {secrets: [${'{name: a, generic_secret: {secret: {inline_string: x}}},'.repeat(2)}]}`,
  ),
  refused(
    'an unknown static secret',
    cluster(
      "transport_socket: {name: tls, typed_config: {'@type': type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext, common_tls_context: {tls_certificate_sds_secret_configs: [{name: nope}]}}}",
    ),
  ),
  refused(
    'EDS from an unknown cluster',
    `node: {id: a, cluster: b}\n${cluster(`type: EDS, eds_cluster_config: {eds_config: {${unknownSource}}}`)}`,
  ),
  accepted(
    'EDS from ADS',
    `node: {id: a, cluster: b}\n${cluster('type: EDS, eds_cluster_config: {eds_config: {ads: {}}}')}`,
  ),
  refused(
    'CDS from an unknown cluster',
    `node: {id: a, cluster: b}\ndynamic_resources: {cds_config: {${unknownSource}}}`,
  ),
  refused(
    'RDS from an unknown cluster',
    connectionManager(`rds: {route_config_name: x, config_source: {${unknownSource}}}`),
  ),
  refused(
    'ADS from an EDS cluster',
    `node: {id: a, cluster: b}\ndynamic_resources: {ads_config: {api_type: GRPC, transport_api_version: V3, grpc_services: [{envoy_grpc: {cluster_name: c}}]}}\n${cluster('type: EDS, eds_cluster_config: {eds_config: {ads: {}}}')}`,
  ),
  refused(
    'an unknown cluster of zipkin',
    connectionManager(
      "route_config: {}\ntracing: {provider: {name: z, typed_config: {'@type': type.googleapis.com/envoy.config.trace.v3.ZipkinConfig, collector_cluster: nope, collector_endpoint: /x, collector_endpoint_version: HTTP_JSON}}}",
    ),
  ),
];

const overloadTypes = 'type.googleapis.com/envoy.config.overload.v3';

/** One action of an overload manager with one resource, in flow style. */
const overload = (action: string, monitor = 'm'): string =>
  `overload_manager: {resource_monitors: [{name: ${monitor}, typed_config: {'@type': type.googleapis.com/envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig, max_heap_size_bytes: 1000000}}], actions: [{name: envoy.overload_actions.${action}}]}`;

const pressed: readonly Verdict[] = [
  accepted('an overload action', overload('shrink_heap, triggers: [{name: m, threshold: {value: 0.5}}]')),
  refused('an overload action without triggers', overload('shrink_heap')),
  refused('a threshold beyond 1', overload('shrink_heap, triggers: [{name: m, threshold: {value: 2}}]')),
  refused('a trigger of neither kind', overload('shrink_heap, triggers: [{name: m}]')),
  refused('a resource without a name', overload('shrink_heap, triggers: [{name: m, threshold: {value: 1}}]', "''")),
  refused(
    'a heap that is shrunk all the time',
    overload(
      `shrink_heap, triggers: [{name: m, threshold: {value: 1}}], typed_config: {'@type': ${overloadTypes}.ShrinkHeapConfig, timer_interval: 0.1s}`,
    ),
  ),
  refused(
    'no timeout to reduce',
    overload(
      `reduce_timeouts, triggers: [{name: m, threshold: {value: 1}}], typed_config: {'@type': ${overloadTypes}.ScaleTimersOverloadActionConfig}`,
    ),
  ),
  refused(
    'a timeout of no kind',
    overload(
      `reduce_timeouts, triggers: [{name: m, threshold: {value: 1}}], typed_config: {'@type': ${overloadTypes}.ScaleTimersOverloadActionConfig, timer_scale_factors: [{timer: UNSPECIFIED, min_timeout: 1s}]}`,
    ),
  ),
];

export const verdicts: readonly Verdict[] = [...texts, ...scalars, ...wellKnown, ...rules, ...references, ...pressed];
