import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AgentError } from '../../../src/agent/agent-error.ts';
import type { AgentFlags, ProxyType } from '../../../src/agent/agent-flags.ts';
import type { Message } from '../../../src/agent/bootstrap/proxy-config.ts';
import { Environment, type Variables } from '../../../src/agent/environment.ts';
import { settings, type Neighbours, type Settings } from '../../../src/agent/settings.ts';

interface Recording {
  readonly environment: Record<string, string>;
  readonly arguments: readonly string[];
  readonly bootstrap: { readonly node: { readonly metadata: Record<string, Record<string, unknown>> } };
}

const folder = join(import.meta.dirname, '../../fixtures/pilot-agent');
const recordings = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => [name, JSON.parse(readFileSync(join(folder, name), 'utf8')) as Recording] as const);

const plainFlags: AgentFlags = {
  type: 'sidecar',
  domain: '',
  meshConfigPath: './etc/istio/config/mesh',
  serviceCluster: 'istio-proxy',
  proxyLogLevel: 'warning',
  proxyComponentLogLevel: 'misc:error',
  concurrency: 0,
  outlierLogPath: '',
  templateFile: '',
  logsJson: false,
};

interface Given {
  readonly variables?: Variables;
  readonly files?: Readonly<Record<string, string>>;
  readonly flags?: Partial<AgentFlags>;
  readonly addresses?: readonly string[];
  readonly neighbours?: Partial<Neighbours>;
}

function made({ variables = {}, files = {}, flags = {}, addresses = [], neighbours = {} }: Given): Settings {
  const surroundings = {
    environment: new Environment(variables),
    readFile: (path: string): string | null => files[path] ?? null,
    addresses,
    addressesOf: (): readonly string[] => ['10.9.9.9'],
  };
  const nobody = { hasCredentialSocket: false, hasIdentitySocket: false };
  return settings({ ...plainFlags, ...flags }, surroundings, { ...nobody, ...neighbours });
}

const podInfo = (values: Record<string, unknown>): string =>
  Object.entries(values)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');

/** The recording has the variables only: what else there was is read from what came of it. */
function asRecorded(name: string, { environment, bootstrap }: Recording): Settings {
  const { LABELS, ANNOTATIONS, PROXY_CONFIG } = bootstrap.node.metadata;
  const { discoveryAddress, gatewayTopology } = PROXY_CONFIG;
  return made({
    variables: { ...environment, PROXY_CONFIG: JSON.stringify({ discoveryAddress, gatewayTopology }) },
    files: {
      './etc/istio/pod/labels': podInfo({ ...LABELS, 'pod-template-hash': '5d4f' }),
      './etc/istio/pod/annotations': podInfo(ANNOTATIONS),
    },
    flags: {
      type: name.split('-')[0] as ProxyType,
      concurrency: Number(PROXY_CONFIG['concurrency'] ?? 0),
      templateFile: '/var/lib/istio/envoy/envoy_bootstrap_tmpl.json',
    },
  });
}

describe("what Istio's agent made of the same", () => {
  test.each(recordings)('%s: the bootstrap', (name, recording) => {
    expect(asRecorded(name, recording).bootstrap).toEqual(recording.bootstrap);
  });

  test.each(recordings)('%s: the command line of the proxy', (name, recording) => {
    const { arguments: made } = asRecorded(name, recording);
    expect(made).toEqual(recording.arguments);
  });
});

function metadataOf(given: Given): Message {
  return made(given).metadata;
}

describe('metadata', () => {
  test('variables, JSON of variables and metadata of the configuration', () => {
    const metadata = metadataOf({
      variables: {
        PROXY_CONFIG: '{"proxyMetadata": {"ISTIO_META_ONE": "1", "ISTIO_META_TWO": "2", "OTHER": "3"}}',
        ISTIO_META_TWO: 'two',
        ISTIO_METAJSON_MORE: '{"DEEP": {"er": 1}}',
        ISTIO_METAJSON_LABELS: '{"static": "yes"}',
        ISTIO_META_ISTIO_VERSION: '1.28.0',
      },
      files: { './etc/istio/pod/labels': 'app="x\\ty"\npod-template-hash="1"' },
    });
    expect(metadata).toMatchObject({
      ONE: '1',
      TWO: 'two',
      DEEP: { er: 1 },
      LABELS: { static: 'yes', app: 'x\ty' },
      STATIC_LABELS: { static: 'yes' },
      ISTIO_VERSION: '1.28.0',
    });
    expect(metadata).not.toHaveProperty('OTHER');
  });

  test('what is true or false is text, and nothing else is taken', () => {
    expect(metadataOf({ variables: { ISTIO_META_DNS_CAPTURE: '1' } })).toMatchObject({ DNS_CAPTURE: 'true' });
    expect(() => metadataOf({ variables: { ISTIO_META_DNS_CAPTURE: 'perhaps' } })).toThrow(AgentError);
  });

  test('locality of a label, in dots or slashes', () => {
    const { bootstrap } = made({ files: { './etc/istio/pod/labels': 'istio-locality="r.z.s"' } });
    expect(bootstrap['node']).toMatchObject({ locality: { region: 'r', zone: 'z', sub_zone: 's' } });
    const slashes = made({ files: { './etc/istio/pod/labels': 'topology.istio.io/locality="r.x/z"' } });
    expect(slashes.bootstrap['node']).toMatchObject({ locality: { region: 'r.x', zone: 'z' } });
  });

  test('addresses: the pod first, no other twice, none of an interface that is left out', () => {
    const metadata = metadataOf({
      variables: { INSTANCE_IP: '10.0.0.1' },
      files: { './etc/istio/pod/annotations': 'traffic.sidecar.istio.io/excludeInterfaces="eth9"' },
      addresses: ['10.0.0.2', '10.0.0.1', '10.9.9.9'],
    });
    expect(metadata['INSTANCE_IPS']).toBe('10.0.0.1,10.0.0.2');
  });

  test('a node of IPv6', () => {
    const { bootstrap, arguments: made6, localhost } = made({ addresses: ['fd00::1'] });
    expect(localhost).toBe('::1');
    expect(made6.join(' ')).toContain('--local-address-ip-version v6');
    expect(bootstrap['admin']).toMatchObject({ address: { socket_address: { address: '::1' } } });
  });

  test('a node of both families, where that is wanted', () => {
    const given = { addresses: ['10.0.0.1', 'fd00::1'] };
    const listeners = ({ bootstrap }: Settings): string => JSON.stringify(bootstrap['static_resources']);
    expect(listeners(made(given))).not.toContain('additional_addresses');
    const both = made({ ...given, variables: { ISTIO_DUAL_STACK: 'true' } });
    expect(listeners(both)).toContain('"name":"0.0.0.0_15021"');
    expect(listeners(both)).toContain(
      '"additional_addresses":[{"address":{"socket_address":{"protocol":"TCP","address":"::"',
    );
  });

  test('neighbours that have secrets', () => {
    const { metadata, bootstrap } = made({ neighbours: { hasIdentitySocket: true, hasCredentialSocket: true } });
    expect(metadata).toMatchObject({ credential: 'true', 'file-credential': 'true' });
    expect(JSON.stringify(bootstrap)).toContain('./var/run/secrets/credential-uds/files-socket');
  });

  test('annotations say what is counted, and how often it is told', () => {
    const annotation = (name: string, value: string): string => `sidecar.istio.io/${name}=${JSON.stringify(value)}`;
    const { bootstrap } = made({
      variables: { INSTANCE_IP: '10.0.0.1', EXIT_ON_ZERO_ACTIVE_CONNECTIONS: 'true' },
      files: {
        './etc/istio/pod/annotations': [
          annotation('statsInclusionPrefixes', 'http.{pod_ip}_,mine'),
          annotation('extraStatTags', 'one,two,one'),
          annotation('statsHistogramBuckets', '{"b": [1, 2], "a": [3]}'),
          annotation('statsFlushInterval', '10s'),
          annotation('statsEvictionInterval', '1m'),
        ].join('\n'),
      },
    });
    const text = JSON.stringify(bootstrap['stats_config']);
    expect(text).toContain('{"prefix":"http.10.0.0.1_"}');
    expect(text).toContain('{"suffix":"downstream_cx_active"}');
    expect(text.match(/"tag_name":"(one|two)"/g)).toHaveLength(2);
    expect(text).toContain('[{"match":{"prefix":"a"},"buckets":[3]},{"match":{"prefix":"b"},"buckets":[1,2]}]');
    expect(bootstrap).toMatchObject({ stats_flush_interval: '10s', stats_eviction_interval: '60s' });
  });

  test('HBONE, or a variable, asks for the discovery of metadata', () => {
    expect(metadataOf({ variables: { ISTIO_META_ENABLE_HBONE: 'true' } })['METADATA_DISCOVERY']).toBe('true');
    expect(metadataOf({ variables: { PEER_METADATA_DISCOVERY: 'true' } })['METADATA_DISCOVERY']).toBe('true');
  });
});

describe('the proxy configuration', () => {
  const configOf = (given: Given): Message => made(given).proxyConfig;

  test('mesh configuration, then the variable, then the annotation', () => {
    const config = configOf({
      variables: { PROXY_CONFIG: 'drainDuration: 7.5s\nproxy_admin_port: 16000\nproxyMetadata: {A: "1"}' },
      files: {
        './etc/istio/config/mesh': 'trustDomain: x\ndefaultConfig:\n  drainDuration: 9s\n  statusPort: 16020',
        './etc/istio/pod/annotations': `proxy.istio.io/config=${JSON.stringify('proxyMetadata: {B: "2"}')}`,
      },
    });
    expect(config).toMatchObject({
      drainDuration: '7.500s',
      proxyAdminPort: 16000,
      statusPort: 16020,
      proxyMetadata: { A: '1', B: '2' },
    });
  });

  test.each([
    ['nonsense: 1', "PROXY_CONFIG: unknown field 'nonsense'"],
    ['drainDuration: soon', 'PROXY_CONFIG: drainDuration is not a duration, as 45s'],
    ['interceptionMode: MAYBE', "PROXY_CONFIG: interceptionMode is 'MAYBE'; allowed: REDIRECT, TPROXY, NONE"],
    ['[', 'PROXY_CONFIG cannot be read'],
    ['customConfigFile: /etc/mine.json', "the bootstrap template '/etc/mine.json' is a Go template"],
    ['tracing: {datadog: {address: "x:1"}}', 'tracing.datadog of the ProxyConfig is not supported by sekisho'],
  ])('%s is refused', (written, reason) => {
    expect(() => configOf({ variables: { PROXY_CONFIG: written } })).toThrow(reason);
  });

  test('the CPU limit is the concurrency, and a flag counts more', () => {
    const variables = { ISTIO_CPU_LIMIT: '3' };
    expect(configOf({ variables })['concurrency']).toBe(3);
    expect(configOf({ variables, flags: { concurrency: 5 } })['concurrency']).toBe(5);
  });

  test('a tracer, an access-log service and statsd become clusters and sinks', () => {
    const { bootstrap } = made({
      variables: {
        HOST_IP: '10.1.1.1',
        PROXY_CONFIG: JSON.stringify({
          tracing: { zipkin: { address: '$(HOST_IP):9411' } },
          envoyAccessLogService: { address: 'als:1', tlsSettings: { mode: 'ISTIO_MUTUAL' } },
          statsdUdpAddress: '127.0.0.1:8125',
        }),
      },
    });
    const text = JSON.stringify(bootstrap);
    expect(text).toContain('{"address":"10.1.1.1","port_value":9411}');
    expect(text).toContain('"alpn_protocols":["istio","h2"]');
    expect(text).toContain('envoy.stat_sinks.statsd');
    expect(bootstrap['tracing']).toBeDefined();
  });

  test('an override is merged over the bootstrap by the command line', () => {
    const { arguments: found } = made({
      variables: { ISTIO_BOOTSTRAP_OVERRIDE: '/o.yaml', HOST_IP: 'fd00::9' },
      files: { '/o.yaml': 'a: ["$(HOST_IP)"]' },
    });
    expect(found).toContain('{"a":["[fd00::9]"]}');
  });
});
