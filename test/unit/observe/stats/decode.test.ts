import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import { Reasons } from '../../../../src/core/rejection.ts';
import { decodeStatsConfig } from '../../../../src/observe/stats/decode.ts';
import { StatsConfigSchema } from '../../../../src/proto/envoy/config/metrics/v3/stats_pb.js';

function decode(json: JsonValue) {
  const reasons = new Reasons('stats_config');
  const data = decodeStatsConfig(fromJson(StatsConfigSchema, json), reasons);
  return { data, reasons: reasons.list };
}

describe('decodeStatsConfig', () => {
  it('fills the defaults in', () => {
    expect(decodeStatsConfig(undefined, new Reasons())).toEqual(decode({}).data);
    expect(decode({}).data).toEqual({
      useAllDefaultTags: true,
      tags: [],
      matcher: { kind: 'all', patterns: [] },
      histogramBuckets: [],
    });
  });

  it('reads all that Envoy has', () => {
    const { data, reasons } = decode({
      use_all_default_tags: false,
      stats_tags: [
        { tag_name: 'a', regex: '^a((b)\\.)' },
        { tag_name: 'f', fixed_value: 'v' },
        { tag_name: 'envoy.cluster_name' },
      ],
      stats_matcher: {
        inclusion_list: { patterns: [{ prefix: 'cluster.', ignore_case: true }, { safe_regex: { regex: '.*x' } }] },
      },
      histogram_bucket_settings: [
        { match: { exact: 'h' }, buckets: [3, 1] },
        { match: { exact: 'i' }, bins: 4 },
      ],
    });
    expect(reasons).toEqual([]);
    expect(data).toEqual({
      useAllDefaultTags: false,
      tags: [
        { name: 'a', regex: '^a((b)\\.)', fixedValue: null },
        { name: 'f', regex: null, fixedValue: 'v' },
        { name: 'envoy.cluster_name', regex: null, fixedValue: null },
      ],
      matcher: {
        kind: 'include',
        patterns: [
          { kind: 'prefix', value: 'cluster.', ignoreCase: true },
          { kind: 'regex', value: '.*x', ignoreCase: false },
        ],
      },
      histogramBuckets: [{ match: { kind: 'exact', value: 'h', ignoreCase: false }, bounds: [1, 3] }],
    });
  });

  it('gathers every reason', () => {
    const { reasons } = decode({
      allow_default_tag_overrides: true,
      stats_tags: [{ tag_name: 'nope' }, { tag_name: '', regex: 'x' }, { tag_name: 'a', regex: '(' }],
      stats_matcher: {},
    });
    expect(reasons.map(({ path }) => path)).toEqual([
      'stats_config.allow_default_tag_overrides',
      'stats_config.stats_tags[0]',
      'stats_config.stats_tags[1].tag_name',
      'stats_config.stats_tags[2].regex',
      'stats_config.stats_matcher',
    ]);
  });
});
