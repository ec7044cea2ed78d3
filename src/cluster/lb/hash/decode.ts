import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import {
  Cluster_CommonLbConfig_ConsistentHashingLbConfigSchema,
  Cluster_MaglevLbConfigSchema,
  Cluster_RingHashLbConfig_HashFunction,
  Cluster_RingHashLbConfigSchema,
  type Cluster,
} from '../../../proto/envoy/config/cluster/v3/cluster_pb.js';
import {
  ConsistentHashingLbConfigSchema,
  type ConsistentHashingLbConfig,
} from '../../../proto/envoy/extensions/load_balancing_policies/common/v3/common_pb.js';
import {
  MaglevSchema,
  type Maglev,
} from '../../../proto/envoy/extensions/load_balancing_policies/maglev/v3/maglev_pb.js';
import {
  RingHash_HashFunction,
  RingHashSchema,
  type RingHash,
} from '../../../proto/envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash_pb.js';
import type { ConsistentHashingData, MaglevData, RingHashData } from '../lb-data.ts';

/** Envoy's defaults. */
const defaultRingSizeMin = 1024n;
const defaultRingSizeMax = 8_388_608n;
const defaultTableSize = 65_537n;

const ringFields = new SupportedFields(Cluster_RingHashLbConfigSchema, [
  'minimum_ring_size',
  'hash_function',
  'maximum_ring_size',
]);
const maglevFields = new SupportedFields(Cluster_MaglevLbConfigSchema, ['table_size']);
const consistentFields = new SupportedFields(Cluster_CommonLbConfig_ConsistentHashingLbConfigSchema, [
  'use_hostname_for_hashing',
  'hash_balance_factor',
]);
const typedRingFields = new SupportedFields(RingHashSchema, [
  'hash_function',
  'minimum_ring_size',
  'maximum_ring_size',
  'use_hostname_for_hashing',
  'hash_balance_factor',
  'consistent_hashing_lb_config',
  'locality_weighted_lb_config',
]);
const typedMaglevFields = new SupportedFields(MaglevSchema, [
  'table_size',
  'consistent_hashing_lb_config',
  'locality_weighted_lb_config',
]);
const typedConsistentFields = new SupportedFields(ConsistentHashingLbConfigSchema, [
  'use_hostname_for_hashing',
  'hash_balance_factor',
]);

/** `lb_policy: RING_HASH`. */
export function decodeRingHash(cluster: Cluster, reasons: Reasons): RingHashData {
  const { lbConfig } = cluster;
  const own = lbConfig.case === 'ringHashLbConfig' ? lbConfig.value : undefined;
  if (own !== undefined) ringFields.check(own, reasons.at('ring_hash_lb_config'));
  const usesMurmur = own?.hashFunction === Cluster_RingHashLbConfig_HashFunction.MURMUR_HASH_2;
  return {
    kind: 'ring-hash',
    ...ringSizes(own?.minimumRingSize, own?.maximumRingSize, reasons.at('ring_hash_lb_config')),
    hashFunction: usesMurmur ? 'murmur2' : 'xx',
    ...decodeConsistent(cluster, reasons),
  };
}

/** `lb_policy: MAGLEV`. */
export function decodeMaglev(cluster: Cluster, reasons: Reasons): MaglevData {
  const { lbConfig } = cluster;
  const own = lbConfig.case === 'maglevLbConfig' ? lbConfig.value : undefined;
  const at = reasons.at('maglev_lb_config');
  if (own !== undefined) maglevFields.check(own, at);
  return { kind: 'maglev', tableSize: tableSize(own?.tableSize, at), ...decodeConsistent(cluster, reasons) };
}

export function decodeTypedRingHash(message: RingHash, reasons: Reasons): RingHashData {
  typedRingFields.check(message, reasons);
  return {
    kind: 'ring-hash',
    ...ringSizes(message.minimumRingSize, message.maximumRingSize, reasons),
    hashFunction: message.hashFunction === RingHash_HashFunction.MURMUR_HASH_2 ? 'murmur2' : 'xx',
    ...decodeTypedConsistent(
      message.consistentHashingLbConfig,
      { usesHostname: message.useHostnameForHashing, balanceFactor: message.hashBalanceFactor ?? 0 },
      reasons,
    ),
  };
}

export function decodeTypedMaglev(message: Maglev, reasons: Reasons): MaglevData {
  typedMaglevFields.check(message, reasons);
  const nothing = { usesHostname: false, balanceFactor: 0 };
  return {
    kind: 'maglev',
    tableSize: tableSize(message.tableSize, reasons),
    ...decodeTypedConsistent(message.consistentHashingLbConfig, nothing, reasons),
  };
}

function decodeConsistent({ commonLbConfig }: Cluster, reasons: Reasons): ConsistentHashingData {
  const config = commonLbConfig?.consistentHashingLbConfig;
  if (config === undefined) return { usesHostname: false, balanceFactor: 0 };
  consistentFields.check(config, reasons.at('common_lb_config').at('consistent_hashing_lb_config'));
  return { usesHostname: config.useHostnameForHashing, balanceFactor: config.hashBalanceFactor ?? 0 };
}

/** `deprecated`: what the policy says outside of the message that came later. */
function decodeTypedConsistent(
  config: ConsistentHashingLbConfig | undefined,
  deprecated: ConsistentHashingData,
  reasons: Reasons,
): ConsistentHashingData {
  if (config === undefined) return deprecated;
  typedConsistentFields.check(config, reasons.at('consistent_hashing_lb_config'));
  return {
    usesHostname: config.useHostnameForHashing,
    balanceFactor: config.hashBalanceFactor ?? deprecated.balanceFactor,
  };
}

function ringSizes(
  min = defaultRingSizeMin,
  max = defaultRingSizeMax,
  reasons: Reasons,
): Pick<RingHashData, 'ringSizeMin' | 'ringSizeMax'> {
  if (min > max) reasons.add(`ring hash: minimum_ring_size (${min}) > maximum_ring_size (${max})`);
  return { ringSizeMin: Number(min), ringSizeMax: Number(max) };
}

function tableSize(size = defaultTableSize, reasons: Reasons): number {
  if (!isPrime(Number(size))) reasons.at('table_size').add('The table size of maglev must be prime number');
  return Number(size);
}

function isPrime(number: number): boolean {
  if (number < 4) return number === 2 || number === 3;
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
  return true;
}
