import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  WeightedCluster_ClusterWeightSchema,
  WeightedClusterSchema,
  type RouteAction,
  type WeightedCluster,
  type WeightedCluster_ClusterWeight,
} from '../../proto/envoy/config/route/v3/route_components_pb.js';
import type { ClusterSpecifierData, WeightedClusterData } from '../route-data.ts';
import { lowerAscii, wireText } from '../wire-text.ts';
import { decodeRequestMutations, decodeResponseMutations } from './header-mutations-decode.ts';
import { decodePerFilter } from './per-filter-decode.ts';
import { decodeMetadataMatch, type RouteDecoding } from './field-decode.ts';

// `total_weight` is deprecated and Envoy goes by the sum alone.
const weightedFields = new SupportedFields(
  WeightedClusterSchema,
  ['clusters', 'runtime_key_prefix', 'header_name', 'use_hash_policy'],
  ['total_weight'],
);
const entryFields = new SupportedFields(WeightedCluster_ClusterWeightSchema, [
  'name',
  'cluster_header',
  'weight',
  'request_headers_to_add',
  'request_headers_to_remove',
  'response_headers_to_add',
  'response_headers_to_remove',
  'typed_per_filter_config',
  'host_rewrite_literal',
  'metadata_match',
]);

/** Envoy keeps the sum of the weights in 32 bits. */
const weightSumMax = 4_294_967_295;

const noCluster: ClusterSpecifierData = { kind: 'fixed', name: '' };

export function decodeClusterSpecifier(
  specifier: RouteAction['clusterSpecifier'],
  routeName: string,
  reasons: Reasons,
  decoding: RouteDecoding,
): ClusterSpecifierData {
  switch (specifier.case) {
    case 'cluster':
      return { kind: 'fixed', name: specifier.value };
    case 'clusterHeader':
      return { kind: 'header', header: lowerAscii(wireText(specifier.value)) };
    case 'weightedClusters':
      return decodeWeighted(specifier.value, routeName, reasons.at('weighted_clusters'), decoding);
    case undefined:
      reasons.add('a route needs one of cluster, cluster_header and weighted_clusters');
      return noCluster;
    default:
      return noCluster;
  }
}

function decodeWeighted(
  message: WeightedCluster,
  routeName: string,
  reasons: Reasons,
  decoding: RouteDecoding,
): ClusterSpecifierData {
  weightedFields.check(message, reasons);
  const clusters = message.clusters.map((entry, i) => decodeEntry(entry, reasons.at('clusters', i), decoding));
  const sum = clusters.reduce((total, entry) => total + entry.weight, 0);
  if (sum === 0) reasons.add('Sum of weights in the weighted_cluster must be greater than 0');
  if (sum > weightSumMax) {
    reasons.add(`The sum of weights of all weighted clusters of route ${routeName} exceeds ${weightSumMax}`);
  }
  const random = message.randomValueSpecifier;
  return {
    kind: 'weighted',
    clusters,
    runtimeKeyPrefix: message.runtimeKeyPrefix,
    randomHeader: random.case === 'headerName' ? lowerAscii(wireText(random.value)) : '',
    usesHashPolicy: random.case === 'useHashPolicy' && random.value.value,
  };
}

function decodeEntry(
  message: WeightedCluster_ClusterWeight,
  reasons: Reasons,
  decoding: RouteDecoding,
): WeightedClusterData {
  entryFields.check(message, reasons);
  if (message.name !== '' && message.clusterHeader !== '') {
    reasons.add('Only one of name or cluster_header can be specified');
  }
  if (message.name === '' && message.clusterHeader === '') {
    reasons.add('At least one of name or cluster_header need to be specified');
  }
  if (message.weight === undefined) reasons.add("Field 'weight' is missing");
  const host = message.hostRewriteSpecifier;
  return {
    name: message.name,
    header: lowerAscii(wireText(message.clusterHeader)),
    weight: message.weight ?? 0,
    hostRewrite: host.case === 'hostRewriteLiteral' ? wireText(host.value) : '',
    requestHeaders: decodeRequestMutations(message, reasons),
    responseHeaders: decodeResponseMutations(message, reasons),
    perFilter: decodePerFilter(message.typedPerFilterConfig, reasons, decoding),
    metadataMatch: decodeMetadataMatch(message.metadataMatch, reasons),
  };
}
