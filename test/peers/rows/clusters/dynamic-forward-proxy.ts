import { load } from 'js-yaml';
import { http, type Yaml } from '../../config.ts';
import type { Group, Request, Row } from '../../row.ts';

const types = 'type.googleapis.com/envoy.extensions';

/** A cluster whose hosts are the names of a cache with these settings. */
function named(name: string, cache: Yaml, more = '{}'): Yaml {
  return {
    name,
    connect_timeout: '5s',
    lb_policy: 'CLUSTER_PROVIDED',
    cluster_type: {
      name: 'envoy.clusters.dynamic_forward_proxy',
      typed_config: {
        '@type': `${types}.clusters.dynamic_forward_proxy.v3.ClusterConfig`,
        dns_cache_config: cache,
        allow_insecure_cluster_options: true,
      },
    },
    ...(load(more) as Yaml),
  };
}

const filter = (cache: Yaml): Yaml => ({
  name: 'proxy',
  typed_config: { '@type': `${types}.filters.http.dynamic_forward_proxy.v3.FilterConfig`, dns_cache_config: cache },
});

const perRoute = (settings: string): string =>
  `typed_per_filter_config: { proxy: { '@type': ${types}.filters.http.dynamic_forward_proxy.v3.PerRouteConfig, ${settings} } }`;

const routes = `
- { match: { prefix: /literal }, route: { cluster: names }, ${perRoute("host_rewrite_literal: 'localhost:{{one}}'")} }
- { match: { prefix: /header }, route: { cluster: names }, ${perRoute('host_rewrite_header: X-Where')} }
- { match: { prefix: /elsewhere }, route: { cluster: one } }
- { match: { prefix: /nobody }, route: { cluster_header: x-cluster } }
- { match: { prefix: /redirected }, redirect: { host_redirect: a.test } }
- { match: { prefix: / }, route: { cluster: names } }`;

function group(name: string, settings: Yaml, rows: readonly Row[]): Group {
  const cache = { name: 'cache', dns_lookup_family: 'V4_ONLY', ...settings };
  return {
    name: `dynamic_forward_proxy: ${name}`,
    config: http({ filters: JSON.stringify([filter(cache)]), routes }, [named('names', cache)]),
    // Names are asked for again while the rows run.
    stats:
      /^dns_cache\.(?!.*dns_query_(attempt|success))|membership_total|upstream_rq_(completed|\d+)$|upstream_cx_(total|none)/,
    rows,
  };
}

const asked = (host: string, path = '/'): Request => ({ host, path });

const usual = group('hosts', {}, [
  { name: 'a name with an address', request: asked('localhost:{{one}}'), stats: /^dns_cache\./ },
  { name: 'the same once more', request: asked('localhost:{{one}}') },
  { name: 'with another port', request: asked('localhost:{{two}}') },
  // A name of its own for Envoy's cache (docs/differences.md).
  { name: 'in capitals', request: asked('LOCALHOST:{{two}}'), ignores: /dns_cache|membership|upstream_cx_total/ },
  { name: 'an address', request: asked('127.0.0.1:{{three}}') },
  { name: 'nobody listens there', request: asked('127.0.0.1:{{dead}}') },
  { name: 'a name without an address', request: asked('nobody.invalid') },
  { name: 'a name without an address, once more', request: asked('nobody.invalid') },
  { name: 'a name without an address, with a port', request: asked('nobody.invalid:81') },
  { name: 'no host', request: asked('') },
  { name: 'rewritten', request: asked('nobody.invalid', '/literal') },
  {
    name: 'rewritten by a header',
    request: { host: 'a.test', path: '/header', headers: [['x-where', 'localhost:{{two}}']] },
  },
  { name: 'rewritten by a header that is missing', request: asked('localhost:{{one}}', '/header') },
  {
    name: 'rewritten by an empty header',
    request: { host: 'localhost:{{one}}', path: '/header', headers: [['x-where', '']] },
  },
  { name: 'another cluster needs no name', request: asked('nobody.invalid', '/elsewhere') },
  { name: 'no cluster', request: asked('nobody.invalid', '/nobody') },
  { name: 'a redirect', request: asked('nobody.invalid', '/redirected') },
  { name: 'with a body', request: { host: 'localhost:{{one}}', method: 'POST', body: 'hello' } },
  { name: 'a fresh name with a body', request: { host: '127.0.0.1:{{one}}', method: 'POST', body: 'hello' } },
  {
    name: 'two that wait for one name',
    mode: 'together',
    request: [asked('nobody.invalid:82'), asked('nobody.invalid:82')],
    logLines: 2,
  },
  { name: 'over HTTP/2', over: 'h2', request: asked('localhost:{{three}}') },
]);

const stateFilter: Yaml = {
  name: 'state',
  typed_config: {
    '@type': `${types}.filters.http.set_filter_state.v3.Config`,
    on_request_headers: [
      ['envoy.upstream.dynamic_host', 'x-host'],
      ['envoy.upstream.dynamic_port', 'x-port'],
    ].map(([key, header]) => ({
      object_key: key,
      skip_if_empty: true,
      format_string: { omit_empty_values: true, text_format_source: { inline_string: `%REQ(${header})%` } },
    })),
  },
};

/** Filter state says whom a request wants. */
function told(name: string, settings: Yaml, rows: readonly Row[]): Group {
  const cache = { name: 'cache', dns_lookup_family: 'V4_ONLY' };
  const proxy = filter(cache);
  const typed = { ...(proxy.typed_config as Yaml), ...settings };
  return {
    name: `dynamic_forward_proxy: ${name}`,
    config: http({ filters: JSON.stringify([stateFilter, { ...proxy, typed_config: typed }]), routes }, [
      named('names', cache),
    ]),
    stats: /membership_total|upstream_rq_(completed|\d+)$|upstream_cx_(total|none)/,
    rows,
  };
}

const byState = told('allow_dynamic_host_from_filter_state', { allow_dynamic_host_from_filter_state: true }, [
  { name: 'the authority, where nothing is noted', request: asked('localhost:{{one}}') },
  {
    name: 'a host and a port',
    // A port alone is not known for one.
    ignores: /x-port/,
    request: {
      host: 'nobody.invalid',
      headers: [
        ['x-host', 'localhost'],
        ['x-port', '{{two}}'],
      ],
    },
  },
  { name: 'a host with a port', request: { host: 'nobody.invalid', headers: [['x-host', 'localhost:{{three}}']] } },
  {
    name: 'a name without an address',
    request: { host: 'localhost:{{one}}', headers: [['x-host', 'nobody.invalid']] },
  },
]);

const full = group('max_hosts', { max_hosts: 1 }, [
  { name: 'the first name', request: asked('localhost:{{one}}') },
  { name: 'the second is refused', request: asked('localhost:{{two}}') },
  { name: 'the first again', request: asked('localhost:{{one}}') },
]);

const noneMayWait = group('max_pending_requests', { dns_cache_circuit_breaker: { max_pending_requests: 0 } }, [
  { name: 'nobody may ask', request: asked('localhost:{{one}}') },
  { name: 'once more', request: asked('localhost:{{one}}') },
  { name: 'another cluster', request: asked('localhost:{{one}}', '/elsewhere') },
]);

const early = group(
  'preresolve_hostnames',
  { preresolve_hostnames: [{ address: 'localhost', port_value: '{{one}}' }] },
  [
    {
      name: 'a name that is known already',
      awaits: { 'dns_cache.cache.dns_query_success': 1 },
      request: asked('localhost:{{one}}'),
    },
  ],
);

const forgets = group('disable_dns_refresh_on_failure', { disable_dns_refresh_on_failure: true }, [
  { name: 'a name without an address', request: asked('nobody.invalid') },
]);

/** Held by docs/differences.md. */
const unasked = 'names are resolved by the filters that ask for them';

const alone: Group = {
  name: 'dynamic_forward_proxy: without the filter',
  config: http({ routes }, [named('names', { name: 'cache', dns_lookup_family: 'V4_ONLY' })]),
  stats: /^dns_cache\.|membership_total|upstream_rq_(completed|\d+)$|upstream_cx_(total|none)/,
  rows: [
    {
      name: 'the filter does not ask for names',
      request: asked('localhost:{{one}}'),
      differs: {
        'client[0]': unasked,
        upstream: unasked,
        log: unasked,
        stats: unasked,
      },
    },
  ],
};

/** Groups about hosts that requests name. */
export const dynamicForwardProxies: readonly Group[] = [usual, byState, full, noneMayWait, early, forgets, alone];
