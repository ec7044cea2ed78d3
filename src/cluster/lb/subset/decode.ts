import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import {
  Cluster_LbSubsetConfig_LbSubsetSelectorSchema,
  Cluster_LbSubsetConfigSchema,
  type Cluster_LbSubsetConfig,
} from '../../../proto/envoy/config/cluster/v3/cluster_pb.js';
import {
  Subset_LbSubsetSelectorSchema,
  SubsetSchema,
  type Subset,
} from '../../../proto/envoy/extensions/load_balancing_policies/subset/v3/subset_pb.js';
import type { SubsetLbData, SubsetSelectorData } from '../lb-data.ts';

const fields = [
  'fallback_policy',
  'default_subset',
  'subset_selectors',
  'locality_weight_aware',
  'scale_locality_weight',
  'panic_mode_any',
  'list_as_any',
  'metadata_fallback_policy',
];
const selectorFields = ['keys', 'single_host_per_subset', 'fallback_policy', 'fallback_keys_subset'];
const supported = new SupportedFields(Cluster_LbSubsetConfigSchema, fields);
const supportedSelector = new SupportedFields(Cluster_LbSubsetConfig_LbSubsetSelectorSchema, selectorFields);
const typedSupported = new SupportedFields(SubsetSchema, [...fields, 'subset_lb_policy']);
const typedSupportedSelector = new SupportedFields(Subset_LbSubsetSelectorSchema, selectorFields);

/** By the numbers that both forms of the configuration share. */
const fallbacks = ['none', 'any', 'default'] as const;
const selectorFallbacks = ['undefined', 'none', 'any', 'default', 'keys'] as const;

const fallbackListPolicy = 1;

/** What both forms of the configuration say. */
interface Choice {
  readonly fallbackPolicy: number;
  readonly defaultSubset?: Readonly<Record<string, unknown>> | undefined;
  readonly subsetSelectors: readonly Selector[];
  readonly localityWeightAware: boolean;
  readonly scaleLocalityWeight: boolean;
  readonly panicModeAny: boolean;
  readonly listAsAny: boolean;
  readonly metadataFallbackPolicy: number;
}

interface Selector {
  readonly keys: readonly string[];
  readonly singleHostPerSubset: boolean;
  readonly fallbackPolicy: number;
  readonly fallbackKeysSubset: readonly string[];
}

/** All but how a host of a subset is chosen. */
export type SubsetChoice = Omit<SubsetLbData, 'inner'>;

/** `lb_subset_config`. Null: it has no selectors, and nothing comes of it. */
export function decodeSubsets(config: Cluster_LbSubsetConfig, reasons: Reasons): SubsetChoice | null {
  supported.check(config, reasons);
  for (const [i, selector] of config.subsetSelectors.entries())
    supportedSelector.check(selector, reasons.at('subset_selectors', i));
  return config.subsetSelectors.length === 0 ? null : choiceOf(config, reasons);
}

export function decodeTypedSubsets(config: Subset, reasons: Reasons): SubsetChoice {
  typedSupported.check(config, reasons);
  for (const [i, selector] of config.subsetSelectors.entries())
    typedSupportedSelector.check(selector, reasons.at('subset_selectors', i));
  return choiceOf(config, reasons);
}

function choiceOf(config: Choice, reasons: Reasons): SubsetChoice {
  return {
    kind: 'subset',
    fallback: fallbacks[config.fallbackPolicy],
    defaultSubset: config.defaultSubset ?? {},
    selectors: config.subsetSelectors.map((selector, i) => selectorOf(selector, reasons.at('subset_selectors', i))),
    localityWeightAware: config.localityWeightAware,
    scaleLocalityWeight: config.scaleLocalityWeight,
    panicModeAny: config.panicModeAny,
    listAsAny: config.listAsAny,
    fallbackList: config.metadataFallbackPolicy === fallbackListPolicy,
  };
}

/** In Envoy's words. */
function selectorOf(selector: Selector, reasons: Reasons): SubsetSelectorData {
  const keys = sortedOnce(selector.keys);
  const fallbackKeys = sortedOnce(selector.fallbackKeysSubset);
  const fallback = selectorFallbacks[selector.fallbackPolicy];
  const at = reasons.at('fallback_keys_subset');
  if (fallback === 'keys') {
    if (fallbackKeys.length === 0) at.add('fallback_keys_subset cannot be empty');
    if (!fallbackKeys.every((key) => keys.includes(key)))
      at.add('fallback_keys_subset must be a subset of selector keys');
    else if (fallbackKeys.length === keys.length) at.add('fallback_keys_subset cannot be equal to keys');
  } else if (fallbackKeys.length > 0) {
    at.add('fallback_keys_subset can be set only for KEYS_SUBSET fallback_policy');
  }
  return { keys, singleHost: selector.singleHostPerSubset, fallback, fallbackKeys };
}

function sortedOnce(keys: readonly string[]): string[] {
  return [...new Set(keys)].sort();
}
