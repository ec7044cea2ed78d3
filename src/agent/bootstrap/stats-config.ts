import { parseDurationMs, type Environment } from '../environment.ts';
import { textIn, type NodeMetadata } from './node-metadata.ts';
import type { Message, ProxyConfig } from './proxy-config.ts';

const requiredPrefixes = ['cluster_manager', 'listener_manager', 'server', 'cluster.xds-grpc', 'wasm'];
const requiredSuffixes = ['rbac.allowed', 'rbac.denied', 'shadow_allowed', 'shadow_denied'];
/** What draining until there are no connections looks at. */
const drainSuffix = 'downstream_cx_active';
const requiredExpressions = [String.raw`vhost\..*\.route\..*`];
const flushMsByDefault = 5000;

/** Tags as Istio's metrics are known by, before and after those that the user adds. */
const firstTags: readonly (readonly [name: string, expression: string])[] = [
  ['cluster_name', String.raw`^cluster(\.(.+);)`],
  ['http_conn_manager_prefix', String.raw`^http\.(((?:[_.[:digit:]\w]*|[_\[\]aAbBcCdDeEfF[:digit:]\w\:]*));\.)`],
  ['thread_name', String.raw`^server(\.(.+))\.watchdog`],
  ['tcp_prefix', String.raw`^tcp\.((.*?)\.)\w+?$`],
  ['response_code', String.raw`_rq(_(\d{3}))$`],
  ['response_code_class', String.raw`_rq(_(\dxx))$`],
  [
    'http_conn_manager_listener_prefix',
    String.raw`^listener(?=\.).*?\.http\.(((?:[_.[:digit:]]*|[_\[\]aAbBcCdDeEfF[:digit:]]*))\.)`,
  ],
  ['listener_address', String.raw`^listener\.(((?:[_.[:digit:]]*|[_\[\]aAbBcCdDeEfF[:digit:]]*))\.)`],
  ['mongo_prefix', String.raw`^mongo\.(.+?)\.(collection|cmd|cx_|op_|delays_|decoding_)(.*?)$`],
];
const lastTags: readonly (readonly [name: string, expression: string])[] = [
  ['cache', String.raw`(cache\.(.+?)\.)`],
  ['component', String.raw`(component\.(.+?)\.)`],
  ['tag', String.raw`(tag\.(.+?);\.)`],
  ['wasm_filter', String.raw`(wasm_filter\.(.+?)\.)`],
  ['authz_enforce_result', String.raw`rbac(\.(allowed|denied))`],
  ['authz_dry_run_action', String.raw`(\.istio_dry_run_(allow|deny)_)`],
  ['authz_dry_run_result', String.raw`(\.shadow_(allowed|denied))`],
];

/** `stats_config` of the bootstrap: which stats there are, and which parts of their names are tags. */
export function statsConfig(
  config: ProxyConfig,
  metadata: NodeMetadata,
  hasMetadataDiscovery: boolean,
  environment: Environment,
): Message {
  const annotations = annotationsOf(metadata);
  const addresses = textIn(metadata, 'INSTANCE_IPS').split(',');
  const matcher = (config.proxyStatsMatcher ?? {}) as Record<string, readonly string[] | undefined>;
  const wanted = (annotation: string, field: string, required: readonly string[]): string[] => {
    const written = annotations[`sidecar.istio.io/statsInclusion${annotation}`] ?? '';
    const chosen = written === '' ? (matcher[field] ?? []) : written.split(',');
    return [...chosen, ...required].flatMap((pattern) =>
      pattern.includes('{pod_ip}') ? addresses.map((address) => pattern.replaceAll('{pod_ip}', address)) : [pattern],
    );
  };
  const suffixes =
    metadata['EXIT_ON_ZERO_ACTIVE_CONNECTIONS'] === 'true' ? [...requiredSuffixes, drainSuffix] : requiredSuffixes;
  const buckets = histogramBuckets(annotations, environment);
  return {
    use_all_default_tags: false,
    stats_tags: [...firstTags, ...extraTags(config, annotations), ...lastTags].map(([name, regex]) => ({
      tag_name: name,
      regex,
    })),
    ...(buckets.length === 0 ? {} : { histogram_bucket_settings: buckets }),
    stats_matcher: {
      inclusion_list: {
        patterns: [
          { prefix: 'reporter=' },
          ...(hasMetadataDiscovery ? [{ prefix: 'workload_discovery' }] : []),
          ...wanted('Prefixes', 'inclusionPrefixes', requiredPrefixes).map((prefix) => ({ prefix })),
          ...wanted('Suffixes', 'inclusionSuffixes', suffixes).map((suffix) => ({ suffix })),
          ...wanted('Regexps', 'inclusionRegexps', requiredExpressions).map((regex) => ({ safe_regex: { regex } })),
          { prefix: 'component' },
          { prefix: 'istio' },
        ],
      },
    },
  };
}

/** `stats_flush_interval` and `stats_eviction_interval`, as annotations say. */
export function statsIntervals(metadata: NodeMetadata, environment: Environment): Message {
  const annotations = annotationsOf(metadata);
  const read = (name: string): number | undefined => {
    const written = annotations[name];
    if (written === undefined) return undefined;
    const found = parseDurationMs(written);
    if (found === undefined) environment.complaints.push(`annotation ${name} is '${written}', which is no duration`);
    return found;
  };
  const flushMs = read('sidecar.istio.io/statsFlushInterval');
  const evictionMs = read('sidecar.istio.io/statsEvictionInterval');
  const isMultiple = evictionMs !== undefined && evictionMs % (flushMs ?? flushMsByDefault) === 0;
  if (evictionMs !== undefined && !isMultiple)
    environment.complaints.push('statsEvictionInterval is not a multiple of statsFlushInterval: it is left out');
  return {
    ...(flushMs === undefined ? {} : { stats_flush_interval: `${flushMs / 1000}s` }),
    ...(isMultiple ? { stats_eviction_interval: `${Math.trunc(evictionMs / 1000)}s` } : {}),
  };
}

function annotationsOf(metadata: NodeMetadata): Readonly<Record<string, string | undefined>> {
  return (metadata['ANNOTATIONS'] ?? {}) as Record<string, string | undefined>;
}

function extraTags(
  config: ProxyConfig,
  annotations: Readonly<Record<string, string | undefined>>,
): [name: string, expression: string][] {
  const names = [...(config.extraStatTags ?? []), ...(annotations['sidecar.istio.io/extraStatTags'] ?? '').split(',')];
  return [...new Set(names)].filter((name) => name !== '').map((name) => [name, String.raw`(${name}=\.=(.*?);\.;)`]);
}

function histogramBuckets(
  annotations: Readonly<Record<string, string | undefined>>,
  environment: Environment,
): Message[] {
  const written = annotations['sidecar.istio.io/statsHistogramBuckets'];
  if (written === undefined) return [];
  try {
    const byPrefix = JSON.parse(written) as Record<string, readonly number[]>;
    return Object.entries(byPrefix)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([prefix, buckets]) => ({ match: { prefix }, buckets }));
  } catch {
    environment.complaints.push('annotation sidecar.istio.io/statsHistogramBuckets is no JSON: it is left out');
    return [];
  }
}
