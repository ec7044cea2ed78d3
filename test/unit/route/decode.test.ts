import { describe, expect, test } from 'vitest';
import { anyHost, decodeYaml } from './fixture.ts';

const matching = (match: string, action = 'route: {cluster: c}') => anyHost(`{match: {${match}}, ${action}}`);
const routing = (route: string) => anyHost(`{match: {prefix: /}, route: {${route}}}`);
const level = (fields: string) => anyHost(`{match: {prefix: /}, ${fields}, route: {cluster: c}}`);
const template = (path: string) =>
  `path_match_policy: {name: m, typed_config: {'@type': type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig, path_template: '${path}'}}`;
const rewriter = (path: string) =>
  `cluster: c, path_rewrite_policy: {name: r, typed_config: {'@type': type.googleapis.com/envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig, path_template_rewrite: '${path}'}}`;
const hosts = (...domains: string[]) =>
  `name: r\nvirtual_hosts:\n${domains.map((list) => `- {name: v, domains: [${list}]}`).join('\n')}`;

describe('what Envoy refuses is refused, in its words', () => {
  test.each<[string, string, string]>([
    [
      'an upgrade twice',
      routing('cluster: c, upgrade_configs: [{upgrade_type: websocket}, {upgrade_type: WebSocket}]'),
      'Duplicate upgrade WebSocket',
    ],
    [
      'the end of a CONNECT for a WebSocket',
      routing('cluster: c, upgrade_configs: [{upgrade_type: websocket, connect_config: {}}]'),
      'Non-CONNECT upgrade type websocket has ConnectConfig',
    ],
    [
      'a header to add with a colon',
      level("request_headers_to_add: [{header: {key: ':path', value: x}}]"),
      ':-prefixed or host headers may not be modified',
    ],
    [
      'a host header to add',
      level('response_headers_to_add: [{header: {key: Host, value: x}}]'),
      ':-prefixed or host headers may not be modified',
    ],
    [
      'a header to remove with a colon',
      level("request_headers_to_remove: [':path']"),
      ':-prefixed or host headers may not be removed',
    ],
    [
      'a host header to remove',
      level('response_headers_to_remove: [HOST]'),
      ':-prefixed or host headers may not be removed',
    ],
    [
      'an unknown operator',
      level("request_headers_to_add: [{header: {key: a, value: '%BAD_OP%'}}]"),
      'Not supported field in StreamInfo: BAD_OP',
    ],
    [
      'a lonely percent sign',
      level("request_headers_to_add: [{header: {key: a, value: '50%'}}]"),
      'Incorrect configuration: 50%',
    ],
    [
      'append beside append_action',
      level('request_headers_to_add: [{header: {key: a, value: b}, append: true, append_action: ADD_IF_ABSENT}]'),
      "Both append and append_action are set and it's not allowed",
    ],
    ['a bad regex', matching("safe_regex: {regex: 'b('}"), 'missing closing )'],
    [
      'a bad regex in a header',
      matching("prefix: /, headers: [{name: a, safe_regex_match: {regex: 'b('}}]"),
      'missing closing )',
    ],
    [
      'ignore_case for a regex',
      matching('prefix: /, headers: [{name: a, string_match: {safe_regex: {regex: a}, ignore_case: true}}]'),
      'ignore_case has no effect for safe_regex',
    ],
    [
      'a domain twice',
      hosts('a.test', 'A.test'),
      'Only unique values for domains are permitted. Duplicate entry of domain a.test in route r',
    ],
    ['* twice', hosts("'*', '*'"), 'Only a single wildcard domain is permitted in route r'],
    ['no match', anyHost('{route: {cluster: c}}'), 'a route needs a match'],
    ['no path', matching('headers: [{name: a}]'), 'a route must say which paths it matches'],
    ['no action', anyHost('{match: {prefix: /}}'), 'a route needs one of'],
    ['no cluster', routing('timeout: 1s'), 'a route needs one of cluster'],
    [
      'weights of zero',
      routing('weighted_clusters: {clusters: [{name: c, weight: 0}]}'),
      'Sum of weights in the weighted_cluster must be greater than 0',
    ],
    [
      'a weight missing',
      routing('weighted_clusters: {clusters: [{name: c}, {name: d, weight: 1}]}'),
      "Field 'weight' is missing",
    ],
    [
      'name beside cluster_header',
      routing('weighted_clusters: {clusters: [{name: c, cluster_header: x, weight: 1}]}'),
      'Only one of name or cluster_header can be specified',
    ],
    [
      'neither',
      routing('weighted_clusters: {clusters: [{weight: 1}]}'),
      'At least one of name or cluster_header need to be specified',
    ],
    [
      'weights over 32 bits',
      routing('weighted_clusters: {clusters: [{name: c, weight: 4294967295}, {name: c, weight: 1}]}'),
      'exceeds 4294967295',
    ],
    [
      'two rewrites',
      routing('cluster: c, prefix_rewrite: /a, regex_rewrite: {pattern: {regex: a}, substitution: b}'),
      'Specify only one of prefix_rewrite',
    ],
    ['a bad path format', routing("cluster: c, path_rewrite: '%XX%'"), 'Failed to create path rewrite formatter'],
    ['a bad host format', routing("cluster: c, host_rewrite: '%XX%'"), 'Failed to create host rewrite formatter'],
    [
      'a bad format in a redirect',
      matching('prefix: /', "redirect: {path_rewrite: '%ZZ%'}"),
      'Failed to create path_rewrite formatter',
    ],
    [
      'a long body',
      matching('prefix: /', `direct_response: {status: 200, body: {inline_string: "${'a'.repeat(4097)}"}}`),
      'response body size is 4097 bytes; maximum is 4096',
    ],
    [
      'a file that is not there',
      matching('prefix: /', 'direct_response: {status: 200, body: {filename: /nope}}'),
      'file /nope does not exist',
    ],
    [
      'a variable that is not there',
      matching('prefix: /', 'direct_response: {status: 200, body: {environment_variable: NOPE_X}}'),
      "Environment variable doesn't exist: NOPE_X",
    ],
    [
      'a back-off shorter than its base',
      routing('cluster: c, retry_policy: {retry_back_off: {base_interval: 1s, max_interval: 0.5s}}'),
      'retry_policy.max_interval must greater than or equal to the base_interval',
    ],
    [
      'an upgrade twice',
      routing('cluster: c, upgrade_configs: [{upgrade_type: websocket}, {upgrade_type: WebSocket}]'),
      'Duplicate upgrade WebSocket',
    ],
    ['a negative timeout', routing('cluster: c, timeout: -1s'), 'Invalid duration: Expected positive duration'],
    [
      'a virtual cluster without headers',
      anyHost('{match: {prefix: /}, route: {cluster: c}}', '', '  virtual_clusters: [{name: x}]'),
      "virtual clusters must define 'headers'",
    ],
    [
      'a bad template',
      matching(template('/a//b')),
      'path_match_policy.path_template /a//b is invalid: Invalid literal: ""',
    ],
    [
      'prefix_rewrite with a template',
      matching(template('/a'), 'route: {cluster: c, prefix_rewrite: /b}'),
      'Cannot use prefix_rewrite with matcher extension',
    ],
    [
      'a template rewrite without a template',
      matching('prefix: /', `route: {${rewriter('/b')}}`),
      'unable to use envoy.path.rewrite.uri_template.uri_template_rewriter',
    ],
    [
      'variables that do not meet',
      matching(template('/a/{x}'), `route: {${rewriter('/b/{y}')}}`),
      'mismatch between variables',
    ],
    [
      'an empty per-filter configuration',
      level("typed_per_filter_config: {foo: {'@type': type.googleapis.com/envoy.config.route.v3.FilterConfig}}"),
      'Empty route/virtual host per filter configuration for foo filter',
    ],
  ])('%s', (_what, yaml, message) => {
    const { data, reasons } = decodeYaml(yaml);
    expect(data).toBeNull();
    expect(reasons.map((reason) => reason.message).join('\n')).toContain(message);
  });
});

describe('what is not supported is refused by name', () => {
  test.each<[string, string, string]>([
    [
      'virtual_hosts[0].routes[0].match.filter_state[0].address_match',
      matching('prefix: /, filter_state: [{key: a, address_match: {ranges: [{address_prefix: 10.0.0.0}]}}]'),
      'address_match',
    ],
    ['virtual_hosts[0].cors', anyHost('{match: {prefix: /}, route: {cluster: c}}', '', '  cors: {}'), 'cors'],
    ['vhds', `${hosts("'*'")}\nvhds: {config_source: {ads: {}}}`, 'vhds'],
    [
      'virtual_hosts[0].routes[0].route.upgrade_configs[0].connect_config.proxy_protocol_config.added_tlvs',
      routing(
        'cluster: c, upgrade_configs: [{upgrade_type: CONNECT, connect_config: {proxy_protocol_config: {added_tlvs: [{type: 1}]}}}]',
      ),
      'added_tlvs',
    ],
  ])('%s', (path, yaml, field) => {
    const { data, reasons } = decodeYaml(yaml);
    expect(data).toBeNull();
    expect(reasons).toEqual([{ path, message: `field '${field}' is not supported by sekisho` }]);
  });

  test('CONNECT-UDP', () => {
    const { reasons } = decodeYaml(routing('cluster: c, upgrade_configs: [{upgrade_type: connect-udp}]'));
    const path = 'virtual_hosts[0].routes[0].route.upgrade_configs[0].upgrade_type';
    expect(reasons).toEqual([{ path, message: 'connect-udp is not supported by sekisho' }]);
  });

  test('a retry host predicate of unknown type', () => {
    const { reasons } = decodeYaml(routing('cluster: c, retry_policy: {retry_host_predicate: [{name: foo}]}'));
    expect(reasons[0].message).toContain("retry host predicate 'foo'");
  });
});

test('all reasons come at once, each with its place', () => {
  const { reasons } = decodeYaml(
    anyHost(
      "{match: {safe_regex: {regex: '('}}, route: {cluster: c, timeout: -1s}}\n{match: {prefix: /}, request_headers_to_remove: [host], route: {cluster: c}}",
    ),
  );
  expect(reasons.map((reason) => reason.path)).toEqual([
    'virtual_hosts[0].routes[0].match.safe_regex.regex',
    'virtual_hosts[0].routes[0].route.timeout',
    'virtual_hosts[0].routes[1].request_headers_to_remove[0]',
  ]);
});

describe('what Envoy accepts is accepted', () => {
  test.each<[string, string]>([
    ['odd domains', hosts("'a*b.test', '**.test', 'a.test:80', '*a', 'a*', ''")],
    ['two virtual hosts of one name', hosts('a', 'b')],
    ['a header name with a space', level("request_headers_to_add: [{header: {key: 'a b', value: x}}]")],
    ['content-length to remove', level('request_headers_to_remove: [content-length]')],
    ['an empty prefix', matching("prefix: ''")],
    ['an inverted range', matching('prefix: /, headers: [{name: a, range_match: {start: 5, end: 1}}]')],
    ['total_weight', routing('weighted_clusters: {total_weight: 50, clusters: [{name: c, weight: 1}]}')],
    ['unknown retry tokens', routing("cluster: c, retry_policy: {retry_on: 'foo,5xx'}")],
    [
      'a body as long as allowed',
      `max_direct_response_body_size_bytes: 5000\n${matching('prefix: /', `direct_response: {status: 200, body: {inline_string: "${'a'.repeat(4097)}"}}`)}`,
    ],
    [
      'regex_rewrite with a template',
      matching(template('/a/{x}'), 'route: {cluster: c, regex_rewrite: {pattern: {regex: a}, substitution: b}}'),
    ],
  ])('%s', (_what, yaml) => {
    expect(decodeYaml(yaml).reasons).toEqual([]);
  });
});

test.each([
  ['early_data_policy', 'early_data_policy: ', 'early data policy'],
  ['retry_policy.retry_priority', 'retry_policy: { retry_priority: ', 'retry priority'],
])('an extension that there is none of: %s', (field, before, what) => {
  const typed = "{ name: x, typed_config: { '@type': type.googleapis.com/google.protobuf.StringValue, value: y } }";
  const { reasons } = decodeYaml(routing(`cluster: c, ${before}${typed}${before.includes('{') ? ' }' : ''}`));
  expect(reasons).toEqual([
    {
      path: `virtual_hosts[0].routes[0].route.${field}`,
      message: `${what} 'x' ${what.startsWith('early') ? 'of type' : 'with type URL'} 'type.googleapis.com/google.protobuf.StringValue' is not supported by sekisho`,
    },
  ]);
});

test('what Envoy never asks of a hedge policy is no reason to refuse it', () => {
  const { data } = decodeYaml(
    routing('cluster: c, hedge_policy: { initial_requests: 3, additional_request_chance: { numerator: 5 } }'),
  );
  expect(data!.virtualHosts[0].routes[0].action).toMatchObject({ hedgesOnPerTryTimeout: false });
});
