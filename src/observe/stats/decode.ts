import { re2 } from '../../core/re2.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  HistogramBucketSettingsSchema,
  StatsConfigSchema,
  StatsMatcherSchema,
  TagSpecifierSchema,
  type HistogramBucketSettings,
  type StatsConfig,
  type StatsMatcher,
  type TagSpecifier,
} from '../../proto/envoy/config/metrics/v3/stats_pb.js';
import {
  ListStringMatcherSchema,
  StringMatcherSchema,
  type ListStringMatcher,
  type StringMatcher,
} from '../../proto/envoy/type/matcher/v3/string_pb.js';
import {
  DEFAULT_STATS_CONFIG,
  type HistogramBucketsData,
  type StatNameMatcherData,
  type StatsConfigData,
  type StatsMatcherData,
  type StatsTagData,
} from './stats-data.ts';
import { readTagExpression } from './tag-expression.ts';
import { DEFAULT_TAG_RULES } from './tag-rules.ts';

const statsConfigFields = new SupportedFields(StatsConfigSchema, [
  'stats_tags',
  'use_all_default_tags',
  'stats_matcher',
  'histogram_bucket_settings',
]);
const tagFields = new SupportedFields(TagSpecifierSchema, ['tag_name', 'regex', 'fixed_value']);
const matcherFields = new SupportedFields(StatsMatcherSchema, ['reject_all', 'exclusion_list', 'inclusion_list']);
// `bins` only says how much memory Envoy reserves.
const bucketFields = new SupportedFields(HistogramBucketSettingsSchema, ['match', 'buckets'], ['bins']);
const listFields = new SupportedFields(ListStringMatcherSchema, ['patterns']);
const stringMatcherFields = new SupportedFields(StringMatcherSchema, [
  'exact',
  'prefix',
  'suffix',
  'contains',
  'safe_regex',
  'ignore_case',
]);

/** `stats_config` of the bootstrap; absent: Envoy's defaults. */
export function decodeStatsConfig(message: StatsConfig | undefined, reasons: Reasons): StatsConfigData {
  if (message === undefined) return DEFAULT_STATS_CONFIG;
  statsConfigFields.check(message, reasons);
  return {
    useAllDefaultTags: message.useAllDefaultTags ?? true,
    tags: message.statsTags.map((tag, i) => decodeTag(tag, reasons.at('stats_tags', i))),
    matcher: decodeMatcher(message.statsMatcher, reasons.at('stats_matcher')),
    histogramBuckets: message.histogramBucketSettings.flatMap((settings, i) =>
      decodeBuckets(settings, reasons.at('histogram_bucket_settings', i)),
    ),
  };
}

function decodeTag(message: TagSpecifier, reasons: Reasons): StatsTagData {
  tagFields.check(message, reasons);
  const { tagName: name, tagValue } = message;
  if (name === '') reasons.at('tag_name').add('must not be empty');
  if (tagValue.case === 'fixedValue') return { name, regex: null, fixedValue: tagValue.value };
  const regex = tagValue.case === 'regex' && tagValue.value !== '' ? tagValue.value : null;
  if (regex !== null) checkRegex(readTagExpression(regex).expression, reasons.at('regex'));
  else if (!DEFAULT_TAG_RULES.some((rule) => rule.tag === name))
    reasons.add(`'${name}' needs a regex or fixed_value: it is not the name of a default tag`);
  return { name, regex, fixedValue: null };
}

function decodeMatcher(message: StatsMatcher | undefined, reasons: Reasons): StatsMatcherData {
  if (message === undefined) return DEFAULT_STATS_CONFIG.matcher;
  matcherFields.check(message, reasons);
  const { statsMatcher } = message;
  switch (statsMatcher.case) {
    case 'rejectAll':
      return { kind: statsMatcher.value ? 'none' : 'all', patterns: [] };
    case 'exclusionList':
      return { kind: 'exclude', patterns: decodePatterns(statsMatcher.value, reasons.at('exclusion_list')) };
    case 'inclusionList':
      return { kind: 'include', patterns: decodePatterns(statsMatcher.value, reasons.at('inclusion_list')) };
    case undefined:
      reasons.add('needs one of reject_all, exclusion_list and inclusion_list');
      return DEFAULT_STATS_CONFIG.matcher;
  }
}

function decodePatterns(list: ListStringMatcher, reasons: Reasons): StatNameMatcherData[] {
  listFields.check(list, reasons);
  return list.patterns.flatMap((pattern, i) => decodeNameMatcher(pattern, reasons.at('patterns', i)) ?? []);
}

function decodeBuckets(message: HistogramBucketSettings, reasons: Reasons): HistogramBucketsData[] {
  bucketFields.check(message, reasons);
  if (message.match === undefined) {
    reasons.at('match').add('is required');
    return [];
  }
  const match = decodeNameMatcher(message.match, reasons.at('match'));
  // With `bins` alone the buckets are the default ones.
  if (match === null || message.buckets.length === 0) return [];
  return [{ match, bounds: message.buckets.toSorted((a, b) => a - b) }];
}

/** A `StringMatcher` of names that the process itself makes; null when it was refused. */
export function decodeNameMatcher(message: StringMatcher, reasons: Reasons): StatNameMatcherData | null {
  stringMatcherFields.check(message, reasons);
  const { matchPattern, ignoreCase } = message;
  switch (matchPattern.case) {
    case 'exact':
    case 'prefix':
    case 'suffix':
    case 'contains':
      return { kind: matchPattern.case, value: matchPattern.value, ignoreCase };
    case 'safeRegex':
      checkRegex(matchPattern.value.regex, reasons.at('safe_regex').at('regex'));
      return { kind: 'regex', value: matchPattern.value.regex, ignoreCase: false };
    default:
      if (matchPattern.case === undefined) reasons.add('needs one of exact, prefix, suffix, contains and safe_regex');
      return null;
  }
}

function checkRegex(regex: string, reasons: Reasons): void {
  try {
    re2().RE2JS.compile(regex);
  } catch (error) {
    reasons.add(`'${regex}' is not a valid RE2 expression: ${(error as Error).message}`);
  }
}
