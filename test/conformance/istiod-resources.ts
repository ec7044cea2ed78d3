import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { loadConfiguration, type Configuration } from '../../src/control/configuration.ts';
import { ExtensionTable } from '../../src/control/extension-table.ts';
import { packedKinds } from '../../src/control/packed-kinds.ts';
import { readResource } from '../../src/control/resources/read-resource.ts';
import { extensionEntries } from '../../src/extensions.ts';
import { ClusterSchema } from '../../src/proto/envoy/config/cluster/v3/cluster_pb.js';
import { ListenerSchema } from '../../src/proto/envoy/config/listener/v3/listener_pb.js';
import { RouteConfigurationSchema } from '../../src/proto/envoy/config/route/v3/route_pb.js';
import { TypedExtensionConfigSchema } from '../../src/proto/envoy/config/core/v3/extension_pb.js';
import { DiscoveryResponseSchema } from '../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { fromBinary } from '../../src/proto/protobuf.js';
import { decodeRouteConfiguration } from '../../src/route/decode.ts';

/** What istiod has sent, a resource at a time: `test/fixtures/istiod-1.29.6`. */
export interface RecordedResource {
  /** Node, kind and name. */
  readonly place: string;
  readonly kind: 'Cluster' | 'Listener' | 'RouteConfiguration' | 'TypedExtensionConfig';
  readonly packed: Uint8Array;
}

const folder = new URL('../fixtures/istiod-1.29.6/', import.meta.url).pathname;

/** Of the state of the world of every node. */
export function recordedResources(): RecordedResource[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /sotw\/(?:Cluster|Listener|RouteConfiguration|TypedExtensionConfig)(?:\.\d+)?\.pb\.gz$/.test(file),
  );
  return files.toSorted().flatMap((file) => {
    const { resources } = fromBinary(DiscoveryResponseSchema, gunzipSync(readFileSync(join(folder, file))));
    const kind = /(\w+)(?:\.\d+)?\.pb\.gz$/.exec(file)![1] as RecordedResource['kind'];
    const node = file.slice(0, file.indexOf('/sotw'));
    return resources.map(({ value }) => ({ place: `${node} ${kind} ${nameOf(kind, value)}`, kind, packed: value }));
  });
}

function nameOf(kind: RecordedResource['kind'], packed: Uint8Array): string {
  if (kind === 'Cluster') return fromBinary(ClusterSchema, packed).name;
  if (kind === 'Listener') return fromBinary(ListenerSchema, packed).name;
  if (kind === 'RouteConfiguration') return fromBinary(RouteConfigurationSchema, packed).name;
  return fromBinary(TypedExtensionConfigSchema, packed).name;
}

/** A bootstrap as pilot-agent writes it, as far as what is discovered depends on it. */
const bootstrap = JSON.stringify({
  node: { id: 'sidecar~127.0.0.1~a.b~b.svc.cluster.local', cluster: 'a.b' },
  bootstrap_extensions: [
    {
      name: 'envoy.bootstrap.internal_listener',
      typed_config: { '@type': 'type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener' },
    },
  ],
  dynamic_resources: {
    ads_config: {
      api_type: 'GRPC',
      transport_api_version: 'V3',
      grpc_services: [{ envoy_grpc: { cluster_name: 'xds-grpc' } }],
    },
  },
  static_resources: {
    clusters: [{ name: 'xds-grpc', type: 'STATIC' }],
  },
});

type Accepted = Extract<Configuration, { isRefused: false }>;

/** Reads each alone, as what comes from a control plane is read. @returns why it is refused; empty: it is accepted */
export async function readRecorded(resources: readonly RecordedResource[]): Promise<ReadonlyMap<string, string>> {
  const table = new ExtensionTable(extensionEntries);
  const overrides = { serviceNode: '', serviceCluster: '', serviceZone: '', hasLogFormat: false, statsTags: [] };
  const configuration = await loadConfiguration({ overrideYaml: bootstrap, allowUnknown: false, ...overrides }, table);
  if (configuration.isRefused) throw new Error(JSON.stringify(configuration.problems));
  const outcomes = new Map<string, string>();
  for (const resource of resources) {
    await table.load(packedKinds(resource.packed));
    const outcome = read(resource, configuration);
    outcomes.set(resource.place, typeof outcome === 'string' ? outcome : '');
  }
  return outcomes;
}

function read({ kind, packed }: RecordedResource, { decoding }: Accepted): object | string {
  switch (kind) {
    case 'Cluster':
      return readResource(ClusterSchema, packed, (message, reasons) => decoding.cluster(message, reasons));
    case 'Listener':
      return readResource(ListenerSchema, packed, (message, reasons) => decoding.listener(message, reasons));
    case 'RouteConfiguration':
      return readResource(RouteConfigurationSchema, packed, (message, reasons) =>
        decodeRouteConfiguration(message, reasons, decoding.extensions),
      );
    case 'TypedExtensionConfig':
      return readResource(TypedExtensionConfigSchema, packed, ({ name, typedConfig }, reasons) =>
        decoding.extensions.open('envoy.filters.http', name, typedConfig, reasons),
      );
  }
}
