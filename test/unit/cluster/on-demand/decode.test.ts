import { expect, it } from 'vitest';
import { decodeOnDemand } from '../../../../src/cluster/on-demand/decode.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { ConfigSourceSchema } from '../../../../src/proto/envoy/config/core/v3/config_source_pb.js';
import { fromJson } from '../../../../src/proto/protobuf.js';

it('is one subscription for all that say the same of where clusters come from', () => {
  const reasons = new Reasons();
  const source = fromJson(ConfigSourceSchema, { ads: {}, resource_api_version: 'V3' });
  const waiting = fromJson(ConfigSourceSchema, { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '1s' });
  const [one, other, different] = [source, source, waiting].map((from, i) =>
    decodeOnDemand({ source: from, timeout: undefined }, i, 'source', reasons),
  );
  expect(one!.source.key).toBe(other!.source.key);
  expect(one!.source.key).not.toBe(different!.source.key);
  expect(different!.timeoutMs).toBe(2);
  expect(reasons.list).toEqual([]);
});

it('needs a source', () => {
  const reasons = new Reasons();
  expect(decodeOnDemand({}, 1, 'odcds_config', reasons)).toBeNull();
  expect(reasons.list).toMatchObject([{ path: 'odcds_config', message: 'value is required' }]);
});
