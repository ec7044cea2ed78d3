import { textIn, type NodeMetadata } from './node-metadata.ts';
import type { ProxyConfig } from './proxy-config.ts';

const unnamed = 'istio-proxy';

/** `node.cluster`: how tracers know the workload. */
export function serviceCluster(config: ProxyConfig, metadata: NodeMetadata): string {
  const { tracingServiceName } = config;
  if (tracingServiceName === 'CANONICAL_NAME_ONLY') return named(canonicalName(metadata), metadata);
  if (tracingServiceName === 'CANONICAL_NAME_AND_NAMESPACE' && metadata['NAMESPACE'] !== undefined)
    return `${canonicalName(metadata)}.${textIn(metadata, 'NAMESPACE')}`;
  return named(config.serviceCluster ?? unnamed, metadata);
}

function named(name: string, metadata: NodeMetadata): string {
  if (name !== '' && name !== unnamed) return name;
  const namespace = textIn(metadata, 'NAMESPACE');
  const app = labelsOf(metadata)['app'] ?? textIn(metadata, 'WORKLOAD_NAME');
  if (app !== '') return `${app}.${namespace}`;
  return namespace === '' ? unnamed : `${unnamed}.${namespace}`;
}

function canonicalName(metadata: NodeMetadata): string {
  const labels = labelsOf(metadata);
  const name = labels['service.istio.io/canonical-name'] ?? labels['app.kubernetes.io/name'] ?? labels['app'];
  return (name ?? textIn(metadata, 'WORKLOAD_NAME')) || unnamed;
}

function labelsOf(metadata: NodeMetadata): Readonly<Record<string, string | undefined>> {
  return (metadata['LABELS'] ?? {}) as Record<string, string | undefined>;
}
